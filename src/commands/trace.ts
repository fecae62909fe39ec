import { Args } from '@oclif/core';
import { ClientCommand } from '../cli/command/base-command.js';

export default class Trace extends ClientCommand {
  static override description = `Show the server's log lines and the records that belong to one request.

Every answer of the API carries its request's id as X-Request-Id, and executions and images carry it as
created_by_request_id and modified_by_request_id.`;
  static override examples = ['<%= config.bin %> trace 01J0ZQ5V8Y', '<%= config.bin %> trace 01J0ZQ5V8Y --json'];
  static override args = { request: Args.string({ description: 'Id of the request', required: true }) };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Trace);
    const trace = await (await this.connect(flags)).trace(args.request);
    if (this.jsonEnabled()) return trace;
    const { describeTrace } = await import('../cli/output/reports.js');
    const text = describeTrace(trace, Date.now());
    if (text === '') this.tell(`Nothing is known of request ${args.request}.`);
    else this.log(text);
    return trace;
  }
}
