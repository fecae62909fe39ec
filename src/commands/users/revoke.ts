import { Args } from '@oclif/core';
import { ClientCommand } from '../../cli/command/base-command.js';

export default class UsersRevoke extends ClientCommand {
  static override description = 'Stop every API key, session and claim of an account at once.';
  static override examples = ['<%= config.bin %> users revoke someone@example.org'];
  static override args = { email: Args.string({ description: 'Address of the account', required: true }) };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(UsersRevoke);
    const answer = await (await this.connect(flags)).revokePerson(args.email);
    this.log(`${answer.message}: ${answer.email}`);
    return answer;
  }
}
