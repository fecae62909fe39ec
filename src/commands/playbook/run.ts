import { Args } from '@oclif/core';
import { RunCommand } from '../../cli/executions/run-command.js';

export default class PlaybookRun extends RunCommand {
  static override description = `Run a playbook: like \`run\`, with what a YAML file says.

NAME is a playbook of .reefguide/playbooks, or the path of a file. Its \${NAME} are replaced by what --env gives; these
pairs become environment variables of the run, too. \${NAME} of the shell is written $\${NAME}, or $NAME.`;
  static override examples = [
    '<%= config.bin %> playbook run examples/playbooks/hello.yaml --env NAME=reef',
    '<%= config.bin %> playbook run examples/playbooks/machine.yaml --timeout 1m --json',
  ];
  static override args = { name: Args.string({ description: 'Playbook, or path of one', required: true }) };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(PlaybookRun);
    const [{ parseEnvPairs }, { parseTimeout }, { runBodyOf }, { loadPlaybook }] = await Promise.all([
      import('../../cli/executions/parse-flags.js'),
      import('../../cli/executions/run-command.js'),
      import('../../cli/playbooks/playbook.js'),
      import('../../cli/playbooks/files.js'),
    ]);
    const { image, env: pairs = [], secret: secrets = [] } = flags;
    const values = parseEnvPairs(pairs, process.env);
    const timeout = flags.timeout === undefined ? undefined : parseTimeout(flags.timeout);
    const { playbook } = await loadPlaybook(args.name, {
      values,
      overridden: [
        ...(image === undefined ? [] : (['image'] as const)),
        ...(timeout === undefined ? [] : (['timeout'] as const)),
      ],
    });
    const body = runBodyOf(playbook);
    return this.runExecution(flags, {
      ...body,
      env: { ...body.env, ...values },
      secrets: [...new Set([...(body.secrets ?? []), ...secrets])],
      ...(image === undefined ? {} : { image }),
      ...(timeout === undefined ? {} : { timeout }),
    });
  }
}
