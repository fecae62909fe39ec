import { ClusterCommand } from '../../cli/cluster/cluster-command.js';

export default class ClusterRedeploy extends ClusterCommand {
  static override description =
    `Force a new deployment of the ECS service: restart every task with the current images and secrets.

Keeps at least half of the tasks healthy meanwhile.`;
  static override examples = ['reefguide cluster redeploy --watch'];

  async run(): Promise<unknown> {
    const { flags } = await this.parse(ClusterRedeploy);
    const control = await this.getControl(flags);
    const redeployed = await control.redeploy();
    this.log(`Started a new deployment${redeployed.deploymentId ? ` (${redeployed.deploymentId})` : ''}`);
    await this.watchRollout(control, flags, redeployed);
    return redeployed;
  }
}
