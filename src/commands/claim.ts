import { Args } from '@oclif/core';
import { ClientCommand } from '../cli/command/base-command.js';
import { SetupError } from '../contract/errors.js';

export default class Claim extends ClientCommand {
  static override description =
    `Exchange a claim token for your API key, and save it in the profile (mode 0600) that later commands use.

A claim works once, within 15 minutes of its making. The key is shown this once.`;
  static override examples = ['<%= config.bin %> claim claim_… --api https://api.example.org'];
  static override args = { token: Args.string({ description: 'The claim token that you were given', required: true }) };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Claim);
    const [{ locateApi }, { createApi }, { saveProfile }] = await Promise.all([
      import('../cli/api/find-api.js'),
      import('../client/api.js'),
      import('../cli/api/profile.js'),
    ]);
    const found = await locateApi({ flag: flags.api, env: process.env, profileFolder: this.config.configDir });
    if (!found) throw new SetupError('No API to claim at', { hint: 'Name it with --api.' });
    const api = createApi({ baseUrl: found.baseUrl, credentials: { kind: 'none' } });
    const claimed = await api.claimKey(args.token);
    const { api_key: apiKey, user_email: email } = claimed;
    await saveProfile(this.config.configDir, { api: api.baseUrl, email, apiKey });
    this.log(apiKey);
    this.tell(`This is the API key of ${email}, shown this once. It is saved for ${api.baseUrl}.`);
    if (found.source === 'local system') {
      this.tell(
        'At the local system commands act as its administrator: set REEFGUIDE_API_KEY to act by this key there.',
      );
    }
    return claimed;
  }
}
