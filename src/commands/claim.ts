import { Args } from '@oclif/core';
import { findApi } from '../cli/api/find-api.js';
import { saveProfile } from '../cli/api/profile.js';
import { ClientCommand } from '../cli/command/client-command.js';
import { createApi } from '../client/api.js';
import { SetupError } from '../contract/errors.js';

export default class Claim extends ClientCommand {
  static override description =
    `Exchange a claim token for an API key, and save the key in the profile (mode 0600) for later commands.

A claim token works once, within 15 minutes. The API key is shown only once.`;
  static override examples = ['reefguide claim claim_… --api https://api.example.org'];
  static override args = { token: Args.string({ description: 'Claim token from an administrator', required: true }) };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Claim);
    const location = await findApi({ flag: flags.api, env: process.env, profileDirectory: this.config.configDir });
    if (!location) throw new SetupError('No API to claim a key from', { hint: 'Name an API with --api.' });
    const api = createApi({ baseUrl: location.baseUrl, credentials: { kind: 'none' } });
    const claimed = await api.claimKey(args.token);
    const { api_key: apiKey, user_email: email } = claimed;
    await saveProfile(this.config.configDir, { api: api.baseUrl, email, apiKey });
    this.log(apiKey);
    this.report(`API key of ${email}, shown only once and saved for ${api.baseUrl}.`);
    if (location.source === 'local system')
      this.report('Set REEFGUIDE_API_KEY to use the key here: commands use the local administrator otherwise.');
    return claimed;
  }
}
