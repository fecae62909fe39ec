import { Args, Flags } from '@oclif/core';
import { ClientCommand } from '../../cli/command/client-command.js';
import { runtimePlatforms } from '../../contract/images.js';

export default class ImagesRegister extends ClientCommand {
  static override description = 'Register an image for commands to run in, or change a registered image.';
  static override examples = [
    'reefguide images register ubuntu:24.04 --default',
    'reefguide images register ghcr.io/example/analysis:2.1 --cpu 1024 --memory 2048 --platform Linux/ARM64',
  ];
  static override args = { image: Args.string({ description: 'Image reference, as for docker pull', required: true }) };
  static override flags = {
    default: Flags.boolean({ description: 'Make the image the default for commands' }),
    cpu: Flags.integer({ description: 'CPU units; 1024 for one processor', min: 1 }),
    memory: Flags.integer({ description: 'Memory in MiB', min: 1 }),
    platform: Flags.option({ description: 'Platform of the image', options: runtimePlatforms })(),
    'task-role': Flags.string({ description: 'IAM role of the running commands' }),
    'execution-role': Flags.string({ description: 'IAM role that starts the commands' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(ImagesRegister);
    const registered = await (await this.connect(flags)).registerImage({
      image: args.image,
      ...(flags.default ? { is_default: true } : {}),
      cpu: flags.cpu,
      memory: flags.memory,
      runtime_platform: flags.platform,
      task_role_name: flags['task-role'],
      task_execution_role_name: flags['execution-role'],
    });
    this.log(`Registered ${registered.image}`);
    return registered;
  }
}
