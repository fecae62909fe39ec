import { Args } from '@oclif/core';
import { ClientCommand } from '../../cli/command/client-command.js';

export default class UsersRevoke extends ClientCommand {
  static override description = 'Revoke every API key, session and claim token of an account at once.';
  static override examples = ['reefguide users revoke someone@example.org'];
  static override args = { email: Args.string({ description: 'E-mail address of the account', required: true }) };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(UsersRevoke);
    const answer = await (await this.connect(flags)).revokeApiKeyUser(args.email);
    this.log(`${answer.message}: ${answer.email}`);
    return answer;
  }
}
