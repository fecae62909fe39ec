import type { HealthReport, Trace } from '../../contract/health.js';
import { colorLevel } from './colors.js';
import { formatAge } from './format.js';
import { formatExecutions, formatImages } from './resources.js';
import { formatTable } from './table.js';

/** Formats the log lines of a request, then a table of each kind of record. Returns an empty text for an empty trace. */
export function formatTrace({ logs, related_resources: related }: Trace, nowMs: number): string {
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
function formatServerLog({ timestamp, level, message, fields }: Trace['logs'][number]): string {
  const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  const coloredLevel = colorLevel(level, process.stdout, level.padEnd(5));
  return `${new Date(timestamp).toISOString()}  ${coloredLevel}  ${message}${pairs.join('')}`;
}

/** Formats the counts of a health report, then a table of its issues. */
export function formatHealthReport({ issues, ...report }: HealthReport): string {
  const kinds = ['executions', 'images', 'secrets', 'users'] as const;
  const counts = formatTable(
    ['RESOURCE', 'TOTAL', 'VERIFIED'],
    kinds.map((kind) => [kind, report[kind].total, report[kind].verified]),
  );
  if (issues.length === 0) return counts;
  const rows = issues.map(({ severity, resource_type, resource_id, action, message }) => [
    colorLevel(severity === 'warning' ? 'warn' : 'error', process.stdout, severity),
    resource_type,
    resource_id,
    action,
    message,
  ]);
  return `${counts}\n\n${formatTable(['SEVERITY', 'RESOURCE', 'ID', 'ACTION', 'PROBLEM'], rows)}`;
}
