import { Args } from '@oclif/core';
import { ClientCommand } from '../cli/command/client-command.js';
import { colorLevel } from '../cli/output/colors.js';
import { formatAge, formatTable } from '../cli/output/format.js';
import { formatExecutions, formatImages } from '../cli/output/resources.js';
import type { Trace as TraceBody } from '../contract/health.js';

export default class Trace extends ClientCommand {
  static override description = `Show the server's log lines and the records of one request.

Find the request id in the X-Request-Id header of an answer, or in created_by_request_id and modified_by_request_id of an
execution or image.`;
  static override examples = ['reefguide trace 01J0ZQ5V8Y', 'reefguide trace 01J0ZQ5V8Y --json'];
  static override args = { request: Args.string({ description: 'Id of the request', required: true }) };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Trace);
    const trace = await (await this.connect(flags)).trace(args.request);
    if (this.jsonEnabled()) return trace;
    const text = formatTrace(trace, Date.now());
    if (text === '') this.report(`No log lines or records of request ${args.request}.`);
    else this.log(text);
    return trace;
  }
}

/** Formats the log lines of a request, then a table of each kind of record. Returns an empty text for an empty trace. */
function formatTrace({ logs, related_resources: related }: TraceBody, nowMs: number): string {
  const { executions, images, secrets } = related;
  const parts: string[] = [];
  if (logs.length > 0) parts.push(logs.map(formatServerLog).join('\n'));
  if (executions.length > 0) parts.push(formatExecutions(executions, nowMs));
  if (images.length > 0) parts.push(formatImages(images, nowMs));
  if (secrets.length > 0) {
    const rows = secrets.map(({ name, key_name, created_by, updated_at }) => [
      name,
      key_name,
      created_by ?? '',
      formatAge(updated_at, nowMs),
    ]);
    parts.push(formatTable(['SECRET', 'VARIABLE', 'MADE BY', 'CHANGED'], rows));
  }
  return parts.join('\n\n');
}

/** Formats a line of the server's log: `2026-03-01T00:00:00.000Z  info   request status=202`. */
function formatServerLog({ timestamp, level, message, fields }: TraceBody['logs'][number]): string {
  const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  const coloredLevel = colorLevel(level, process.stdout, level.padEnd(5));
  return `${new Date(timestamp).toISOString()}  ${coloredLevel}  ${message}${pairs.join('')}`;
}
