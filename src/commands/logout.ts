import { BaseCommand } from '../cli/command/base-command.js';

export default class Logout extends BaseCommand {
  static override description = 'Revoke the saved login and forget it.';
  static override examples = ['<%= config.bin %> logout'];

  async run(): Promise<void> {
    await this.parse(Logout);
    const [{ readProfile, removeProfile }, { createApi }] = await Promise.all([
      import('../cli/api/profile.js'),
      import('../client/api.js'),
    ]);
    const profile = await readProfile(this.config.configDir);
    if (!profile) {
      this.log('Not logged in.');
      return;
    }
    if ('apiKey' in profile) {
      await removeProfile(this.config.configDir);
      this.log(`The key for ${profile.api} is forgotten on this machine.`);
      this.tell('It stays good until an administrator stops it: reefguide users revoke EMAIL');
      return;
    }
    const { api: baseUrl, refreshToken } = profile;
    const revoked = await createApi({ baseUrl, credentials: { kind: 'refresh', refreshToken } })
      .logout(refreshToken)
      .then(() => true)
      .catch((error: Error) => {
        this.tell(`The server could not be told: ${error.message}. The token ends by itself within 48 hours.`);
        return false;
      });
    await removeProfile(this.config.configDir);
    this.log(revoked ? `Logged out of ${baseUrl}` : 'The saved login is forgotten on this machine.');
  }
}
