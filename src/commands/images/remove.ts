import { Args } from '@oclif/core';
import { ClientCommand } from '../../cli/command/client-command.js';

export default class ImagesRemove extends ClientCommand {
  static override description = 'Remove a registered image. Running commands continue.';
  static override examples = ['reefguide images remove ghcr.io/example/analysis:2.1'];
  static override args = { image: Args.string({ description: 'Registered image', required: true }) };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(ImagesRemove);
    const removed = await (await this.connect(flags)).removeImage(args.image);
    this.log(`Removed ${removed.image}`);
    return removed;
  }
}
