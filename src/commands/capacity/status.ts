import { ClientCommand } from '../../cli/command/base-command.js';

export default class CapacityStatusCommand extends ClientCommand {
  static override description = 'Show demand, workers and the last decisions of the acting capacity manager.';
  static override examples = ['<%= config.bin %> capacity status', '<%= config.bin %> capacity status --json'];
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(CapacityStatusCommand);
    const api = await this.connect(flags);
    const [status, demand] = await Promise.all([api.capacityStatus(), api.demand(0)]);
    if (this.jsonEnabled()) return { ...status, demand: demand.types };
    const [{ table }, { ago, duration }] = await Promise.all([
      import('../../cli/output/table.js'),
      import('../../cli/output/format.js'),
    ]);
    const now = Date.now();
    this.log(
      status.holder
        ? `Manager      ${status.holder}, last report ${ago(status.reportedAt, now)}`
        : 'Manager      none acts',
    );
    if (status.lastError) this.log(`Last error   ${status.lastError}`);
    if (status.groups.length > 0) {
      const rows = status.groups.map((group) => [
        group.group,
        group.pending,
        group.inProgress,
        group.running,
        group.desired,
        group.lastError ?? '',
      ]);
      this.log(`\n${table(['GROUP', 'WAITING', 'RUNNING JOBS', 'WORKERS', 'DESIRED', 'LAST ERROR'], rows)}`);
    }
    if (demand.types.length > 0) {
      const rows = demand.types.map(({ type, pending, inProgress, oldestPendingSeconds }) => [
        type,
        pending,
        inProgress,
        pending > 0 ? duration(oldestPendingSeconds) : '',
      ]);
      this.log(`\n${table(['JOB TYPE', 'WAITING', 'RUNNING', 'OLDEST WAITS'], rows)}`);
    }
    return { ...status, demand: demand.types };
  }
}
