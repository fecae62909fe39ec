import { ClientCommand } from '../../cli/command/client-command.js';
import { formatAge, formatDuration, formatTable } from '../../cli/output/format.js';
import type { Api } from '../../client/api.js';

export default class CapacityStatusCommand extends ClientCommand {
  static override description = 'Show demand, workers and the latest decisions of the active capacity manager.';
  static override examples = ['reefguide capacity status', 'reefguide capacity status --json'];

  async run(): Promise<unknown> {
    const { flags } = await this.parse(CapacityStatusCommand);
    const api = await this.connect(flags);
    const [status, demand] = await Promise.all([api.capacityStatus(), api.demand(0)]);
    const result = { ...status, demand: demand.types };
    if (!this.jsonEnabled()) this.print(result);
    return result;
  }

  private print(status: Status): void {
    const { holder, reportedAt, lastError, groups, demand } = status;
    const manager = holder ? `${holder}, last report ${formatAge(reportedAt, Date.now())}` : 'no active manager';
    this.log(`Manager      ${manager}`);
    if (lastError) this.log(`Last error   ${lastError}`);
    if (groups.length > 0) {
      const rows = groups.map(({ group, pending, inProgress, running, desired, lastError: error }) => [
        ...[group, pending, inProgress, running, desired],
        error ?? '',
      ]);
      this.log(`\n${formatTable(['GROUP', 'WAITING', 'RUNNING JOBS', 'WORKERS', 'DESIRED', 'LAST ERROR'], rows)}`);
    }
    if (demand.length > 0) {
      const rows = demand.map(({ type, pending, inProgress, oldestPendingSeconds }) => [
        ...[type, pending, inProgress],
        pending > 0 ? formatDuration(oldestPendingSeconds) : '',
      ]);
      this.log(`\n${formatTable(['JOB TYPE', 'WAITING', 'RUNNING', 'OLDEST WAITS'], rows)}`);
    }
  }
}

type Status = Awaited<ReturnType<Api['capacityStatus']>> & { demand: Awaited<ReturnType<Api['demand']>>['types'] };
