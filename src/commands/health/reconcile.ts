import { ClientCommand } from '../../cli/command/client-command.js';

export default class HealthReconcile extends ClientCommand {
  static override description =
    `Compare records with the existing resources, repair safe differences, and report the rest.

Exits with 1 when there are errors.`;
  static override examples = ['<%= config.bin %> health reconcile', '<%= config.bin %> health reconcile --json'];
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(HealthReconcile);
    const answer = await (await this.connect(flags)).reconcile();
    const { report } = answer;
    if (report.error_count > 0) process.exitCode = 1;
    if (this.jsonEnabled()) return answer;
    const { formatHealthReport } = await import('../../cli/output/reports.js');
    this.log(formatHealthReport(report));
    this.report(
      report.issues.length === 0
        ? 'No problems found.'
        : `${report.issues.length} found, ${report.reconciled_count} repaired, ${report.error_count} errors.`,
    );
    return answer;
  }
}
