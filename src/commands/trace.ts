import { Args } from '@oclif/core';
import { ClientCommand } from '../cli/command/client-command.js';

export default class Trace extends ClientCommand {
  static override description = `Show the server's log lines and the records of one request.

Find the request id in the X-Request-Id header of an answer, or in created_by_request_id and modified_by_request_id of an
execution or image.`;
  static override examples = ['<%= config.bin %> trace 01J0ZQ5V8Y', '<%= config.bin %> trace 01J0ZQ5V8Y --json'];
  static override args = { request: Args.string({ description: 'Id of the request', required: true }) };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Trace);
    const trace = await (await this.connect(flags)).trace(args.request);
    if (this.jsonEnabled()) return trace;
    const { formatTrace } = await import('../cli/output/reports.js');
    const text = formatTrace(trace, Date.now());
    if (text === '') this.report(`No log lines or records of request ${args.request}.`);
    else this.log(text);
    return trace;
  }
}
