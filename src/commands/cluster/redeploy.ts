import { ClusterCommand } from '../../cli/cluster/cluster-command.js';

export default class ClusterRedeploy extends ClusterCommand {
  static override description =
    `Force a new deployment of the ECS service: every task is started anew, with the images and secrets of now.

At least half of the tasks stay healthy meanwhile.`;
  static override examples = ['<%= config.bin %> cluster redeploy --watch'];
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(ClusterRedeploy);
    const control = await this.control(flags);
    const redeployed = await control.redeploy();
    this.log(`Started a new deployment${redeployed.deploymentId ? ` (${redeployed.deploymentId})` : ''}`);
    await this.follow(control, flags, redeployed);
    return redeployed;
  }
}
