import { ClusterCommand } from '../../cli/cluster/cluster-command.js';
import { formatDeployments } from '../../cli/cluster/rollout.js';
import { formatAge } from '../../cli/output/format.js';

export default class ClusterStatusCommand extends ClusterCommand {
  static override description = 'Show the ECS service of the deployment: counts, deployments, latest events.';
  static override examples = [
    'reefguide cluster status',
    'reefguide cluster status --watch',
    'reefguide cluster status --direct --cluster reefguide --service reefguide-api',
  ];

  async run(): Promise<unknown> {
    const { flags } = await this.parse(ClusterStatusCommand);
    const control = await this.getControl(flags);
    const status = (await this.watchRollout(control, flags)) ?? (await control.status());
    if (this.jsonEnabled()) return status;
    const { serviceStatus, runningCount, desiredCount, pendingCount } = status;
    this.log(`${serviceStatus}: ${runningCount} of ${desiredCount} tasks running, ${pendingCount} pending`);
    for (const line of formatDeployments(status, process.stdout)) this.log(line);
    for (const { createdAt, message } of status.events)
      this.log(`  ${createdAt ? `${formatAge(createdAt, Date.now())}: ` : ''}${message}`);
    return status;
  }
}
