import { ClientCommand } from '../../cli/command/client-command.js';
import { formatTable } from '../../cli/output/format.js';
import { isRecord } from '../../client/api-error.js';

export default class JobsTypes extends ClientCommand {
  static override description = 'List the job types. Show their JSON Schemas with --json.';
  static override examples = ['reefguide jobs types', 'reefguide jobs types --json'];

  async run(): Promise<unknown> {
    const { flags } = await this.parse(JobsTypes);
    const answer = await (await this.connect(flags)).jobTypes();
    if (this.jsonEnabled()) return answer;
    const rows = answer.types.map(({ name, expiryMinutes, maxAttempts, inputSchema }) => [
      name,
      `${expiryMinutes} min`,
      maxAttempts,
      fields(inputSchema),
    ]);
    this.log(formatTable(['TYPE', 'EXPIRY', 'ATTEMPTS', 'INPUT'], rows));
    return answer;
  }
}

/** Names of a schema's properties, the optional ones with a question mark; the required first. */
function fields(schema: unknown): string {
  if (!isRecord(schema) || !isRecord(schema.properties)) return '';
  const required = Array.isArray(schema.required) ? schema.required : [];
  const names = Object.keys(schema.properties);
  const optional = names.filter((name) => !required.includes(name));
  const shown = optional.length > 4 ? [`and ${optional.length} optional`] : optional.map((name) => `${name}?`);
  return [...names.filter((name) => required.includes(name)), ...shown].join(', ');
}
