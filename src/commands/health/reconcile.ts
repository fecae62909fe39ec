import { ClientCommand } from '../../cli/command/client-command.js';
import { colorLevel } from '../../cli/output/colors.js';
import { formatTable } from '../../cli/output/format.js';
import type { HealthReport } from '../../contract/health.js';

export default class HealthReconcile extends ClientCommand {
  static override description =
    `Compare records with the existing resources, repair safe differences, and report the rest.

Exits with 1 when there are errors.`;
  static override examples = ['reefguide health reconcile', 'reefguide health reconcile --json'];

  async run(): Promise<unknown> {
    const { flags } = await this.parse(HealthReconcile);
    const answer = await (await this.connect(flags)).reconcile();
    const { report } = answer;
    if (report.error_count > 0) process.exitCode = 1;
    if (this.jsonEnabled()) return answer;
    this.log(formatReport(report));
    const counts = `${report.issues.length} found, ${report.reconciled_count} repaired, ${report.error_count} errors.`;
    this.report(report.issues.length === 0 ? 'No problems found.' : counts);
    return answer;
  }
}

function formatReport({ issues, ...report }: HealthReport): string {
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
