import { Args } from '@oclif/core';
import { ClientCommand } from '../../cli/command/client-command.js';
import { formatAge, formatFacts } from '../../cli/output/format.js';

export default class ImagesShow extends ClientCommand {
  static override description = 'Show a registered image, with the resources and roles of its commands.';
  static override examples = ['reefguide images show ubuntu:24.04'];
  static override args = { image: Args.string({ description: 'Registered image', required: true }) };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(ImagesShow);
    const image = await (await this.connect(flags)).image(args.image);
    if (this.jsonEnabled()) return image;
    const now = Date.now();
    this.log(
      formatFacts([
        ['Image', image.image],
        ['Default', image.is_default ? 'yes' : 'no'],
        ['CPU', image.cpu],
        ['Memory', `${image.memory} MiB`],
        ['Platform', image.runtime_platform],
        ['Task role', image.task_role_name],
        ['Execution role', image.task_execution_role_name],
        ['Task definition', image.task_definition],
        ['Registered', `${formatAge(image.created_at, now)}${image.created_by ? ` by ${image.created_by}` : ''}`],
        ['Changed', formatAge(image.updated_at, now)],
      ]),
    );
    return image;
  }
}
