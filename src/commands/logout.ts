import { readProfile, removeProfile } from '../cli/api/profile.js';
import { BaseCommand } from '../cli/command/base-command.js';
import { createApi } from '../client/api.js';

export default class Logout extends BaseCommand {
  static override description = 'Revoke the saved login and delete the profile.';
  static override examples = ['reefguide logout'];

  async run(): Promise<void> {
    await this.parse(Logout);
    const profile = await readProfile(this.config.configDir);
    if (!profile) {
      this.log('Not logged in.');
      return;
    }
    if ('apiKey' in profile) {
      await removeProfile(this.config.configDir);
      this.log(`Deleted the API key for ${profile.api} on this machine.`);
      this.report('The key stays valid until an administrator revokes it: reefguide users revoke EMAIL');
      return;
    }
    const { api: baseUrl, refreshToken } = profile;
    const isRevoked = await createApi({ baseUrl, credentials: { kind: 'refresh', refreshToken } })
      .logout(refreshToken)
      .then(() => true)
      .catch((error: Error) => {
        this.report(`Cannot revoke the login: ${error.message}. The refresh token expires within 48 hours.`);
        return false;
      });
    await removeProfile(this.config.configDir);
    this.log(isRevoked ? `Logged out of ${baseUrl}` : 'Deleted the saved login on this machine.');
  }
}
