import { ClusterCommand } from '../../cli/cluster/cluster-command.js';
import { taskCount } from '../../cli/command/arguments.js';

export default class ClusterScale extends ClusterCommand {
  static override description = 'Change the number of tasks that the ECS service runs, from 0 to 10.';
  static override examples = ['reefguide cluster scale 2', 'reefguide cluster scale 0 --watch'];
  static override args = { count: taskCount({ required: true }) };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(ClusterScale);
    const control = await this.getControl(flags);
    const scaled = await control.scale(args.count);
    this.log(`Scaled from ${scaled.previousDesiredCount} to ${scaled.desiredCount}`);
    await this.watchRollout(control, flags, { desiredCount: args.count });
    return scaled;
  }
}
