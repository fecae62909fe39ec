import { Args, Flags } from '@oclif/core';
import { ClientCommand } from '../../cli/command/base-command.js';
import { roles } from '../../contract/auth.js';

export default class UsersCreate extends ClientCommand {
  static override description = `Make an account that is used by an API key.

Prints a claim token, which its owner exchanges for the key: once, within 15 minutes.`;
  static override examples = ['<%= config.bin %> users create someone@example.org --role DEVELOPER'];
  static override args = { email: Args.string({ description: 'Address of the new account', required: true }) };
  static override flags = {
    role: Flags.string({ description: 'What the account may do', options: [...roles], required: true }),
  };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(UsersCreate);
    const api = await this.connect(flags);
    const created = await api.createPerson(args.email, flags.role);
    this.log(created.claim_token);
    this.tell(`Give ${args.email} this token. Within 15 minutes, once: reefguide claim TOKEN --api ${api.baseUrl}`);
    return created;
  }
}
