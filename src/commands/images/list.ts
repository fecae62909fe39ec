import { ClientCommand } from '../../cli/command/client-command.js';
import { formatImages } from '../../cli/output/resources.js';

export default class ImagesList extends ClientCommand {
  static override description = 'List the registered images.';
  static override examples = ['reefguide images list', 'reefguide images list --json'];

  async run(): Promise<unknown> {
    const { flags } = await this.parse(ImagesList);
    const answer = await (await this.connect(flags)).images();
    if (this.jsonEnabled()) return answer;
    if (answer.images.length === 0) this.report('No images yet: register one with `reefguide images register IMAGE`.');
    else this.log(formatImages(answer.images, Date.now()));
    return answer;
  }
}
