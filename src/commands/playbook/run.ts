import { Args } from '@oclif/core';
import { parseEnvPairs, parseTimeoutFlag } from '../../cli/executions/parse-flags.js';
import { RunCommand } from '../../cli/executions/run-command.js';
import { loadRunBody } from '../../cli/playbooks/files.js';

export default class PlaybookRun extends RunCommand {
  static override description = `Run the commands of a playbook, as with \`run\`.

Replaces each \${NAME} in the playbook by the value of --env NAME=value, and sets the same environment variables for the
commands. Write $\${NAME} or $NAME for a variable of the shell.`;
  static override examples = [
    'reefguide playbook run examples/playbooks/hello.yaml --env NAME=reef',
    'reefguide playbook run examples/playbooks/machine.yaml --timeout 1m --json',
  ];
  static override args = {
    name: Args.string({ description: 'Name of a playbook in .reefguide/playbooks, or path of a file', required: true }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(PlaybookRun);
    const { image, env: pairs = [], secret: secrets = [] } = flags;
    const values = parseEnvPairs(pairs, process.env);
    const timeout = flags.timeout === undefined ? undefined : parseTimeoutFlag(flags.timeout);
    const overrides = { ...(image === undefined ? {} : { image }), ...(timeout === undefined ? {} : { timeout }) };
    const body = await loadRunBody(args.name, { values, overridden: Object.keys(overrides) });
    return this.runExecution(flags, {
      ...body,
      env: { ...body.env, ...values },
      secrets: [...new Set([...(body.secrets ?? []), ...secrets])],
      ...overrides,
    });
  }
}
