import type { HealthReport, Trace } from '../../contract/health.js';
import { executionTable, imageTable } from './execution-table.js';
import { ago } from './format.js';
import { table } from './table.js';

/** Log lines, then a table of each kind of record; empty when there is nothing. */
export function describeTrace({ logs, related_resources: related }: Trace, now: number): string {
  const { executions, images, secrets } = related;
  const parts: string[] = [];
  if (logs.length > 0) {
    const lines = logs.map(({ timestamp, level, message, fields }) => {
      const shown = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
      return `${new Date(timestamp).toISOString()}  ${level.padEnd(5)}  ${message}${shown.join('')}`;
    });
    parts.push(lines.join('\n'));
  }
  if (executions.length > 0) parts.push(executionTable(executions, now));
  if (images.length > 0) parts.push(imageTable(images, now));
  if (secrets.length > 0) {
    const rows = secrets.map((one) => [one.name, one.key_name, one.created_by ?? '', ago(one.updated_at, now)]);
    parts.push(table(['SECRET', 'VARIABLE', 'MADE BY', 'CHANGED'], rows));
  }
  return parts.join('\n\n');
}

/** What was compared, and what was found. */
export function describeReport({ issues, ...report }: HealthReport): string {
  const kinds = ['executions', 'images', 'secrets', 'users'] as const;
  const counts = table(
    ['RESOURCE', 'TOTAL', 'AS THEY SHOULD BE'],
    kinds.map((kind) => [kind, report[kind].total, report[kind].verified]),
  );
  if (issues.length === 0) return counts;
  const found = table(
    ['SEVERITY', 'RESOURCE', 'ID', 'ACTION', 'PROBLEM'],
    issues.map((one) => [one.severity, one.resource_type, one.resource_id, one.action, one.message]),
  );
  return `${counts}\n\n${found}`;
}
