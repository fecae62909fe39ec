import { ClusterCommand } from '../../cli/cluster/cluster-command.js';

export default class ClusterStatusCommand extends ClusterCommand {
  static override description = 'Show the ECS service of the deployment: counts, deployments, last events.';
  static override examples = [
    '<%= config.bin %> cluster status',
    '<%= config.bin %> cluster status --watch',
    '<%= config.bin %> cluster status --direct --cluster reefguide --service reefguide-api',
  ];
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(ClusterStatusCommand);
    const control = await this.control(flags);
    const status = (await this.follow(control, flags)) ?? (await control.status());
    if (this.jsonEnabled()) return status;
    const [{ statusLines }, { ago }] = await Promise.all([
      import('../../cli/cluster/rollout.js'),
      import('../../cli/output/format.js'),
    ]);
    const { serviceStatus, runningCount, desiredCount, pendingCount } = status;
    this.log(`${serviceStatus}: ${runningCount} of ${desiredCount} tasks running, ${pendingCount} pending`);
    for (const line of statusLines(status)) this.log(line);
    for (const { createdAt, message } of status.events) {
      this.log(`  ${createdAt ? `${ago(createdAt, Date.now())}: ` : ''}${message}`);
    }
    return status;
  }
}
