import { ClientCommand } from '../../cli/command/client-command.js';

export default class JobsTypes extends ClientCommand {
  static override description = 'List the job types. Show their JSON Schemas with --json.';
  static override examples = ['<%= config.bin %> jobs types', '<%= config.bin %> jobs types --json'];
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(JobsTypes);
    const answer = await (await this.connect(flags)).jobTypes();
    if (this.jsonEnabled()) return answer;
    const { formatTable } = await import('../../cli/output/table.js');
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
  if (typeof schema !== 'object' || schema === null || !('properties' in schema)) return '';
  const { properties } = schema;
  const required = 'required' in schema && Array.isArray(schema.required) ? schema.required : [];
  if (typeof properties !== 'object' || properties === null) return '';
  const names = Object.keys(properties);
  const optional = names.filter((name) => !required.includes(name));
  const shown = optional.length > 4 ? [`and ${optional.length} optional`] : optional.map((name) => `${name}?`);
  return [...names.filter((name) => required.includes(name)), ...shown].join(', ');
}
