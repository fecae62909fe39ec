import { Args, Flags } from '@oclif/core';
import { ClientCommand } from '../../cli/command/client-command.js';
import { roles } from '../../contract/auth.js';

export default class UsersCreate extends ClientCommand {
  static override description = `Create an account with an API key.

Prints a claim token, which the owner exchanges for the API key once, within 15 minutes.`;
  static override examples = ['reefguide users create someone@example.org --role DEVELOPER'];
  static override args = { email: Args.string({ description: 'E-mail address of the account', required: true }) };
  static override flags = {
    role: Flags.string({ description: 'Role of the account', options: [...roles], required: true }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(UsersCreate);
    const api = await this.connect(flags);
    const created = await api.createApiKeyUser(args.email, flags.role);
    this.log(created.claim_token);
    const command = `reefguide claim TOKEN --api ${api.baseUrl}`;
    this.report(`Give ${args.email} this token, to use once within 15 minutes: ${command}`);
    return created;
  }
}
