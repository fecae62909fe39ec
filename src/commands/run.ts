import { Args, Flags } from '@oclif/core';
import { usageError } from '../cli/command/arguments.js';
import { parseEnvPairs, parseTimeoutFlag } from '../cli/executions/parse-flags.js';
import { RunCommand } from '../cli/executions/run-command.js';

export default class Run extends RunCommand {
  static override description = `Run a command in a container and show its logs live.

Give the command as one argument for the shell (sh -c). Exits with the command's exit code. Ctrl+C asks whether to kill the
command or leave it running; without a terminal, SIGINT and SIGTERM kill it. --json prints the result, with the logs on
stderr.`;
  static override examples = [
    `reefguide run 'echo hello'`,
    `reefguide run 'echo "$REGION"' --env REGION=Townsville-Whitsunday --timeout 10m`,
    `reefguide run 'make report' --git-repo https://github.com/example/reports.git --git-ref main --secret data-token`,
    `reefguide run 'sleep 60' --detach`,
  ];
  static override args = { command: Args.string({ description: 'Command to run, in quotes', required: true }) };
  /** Accepts more arguments, to answer unquoted words with the quoted command. */
  static override strict = false;
  static override flags = {
    'git-repo': Flags.string({ description: 'Git repository to clone first' }),
    'git-ref': Flags.string({ description: 'Branch, tag or commit (default: the default branch)' }),
    'git-path': Flags.string({ description: 'Directory of the repository to run in' }),
  };

  async run(): Promise<unknown> {
    const { args, argv, flags } = await this.parse(Run);
    if (argv.length > 1)
      throw usageError(`Invalid command: expected one argument in quotes, as in: reefguide run '${argv.join(' ')}'`);
    const { image, env, secret: secrets, timeout } = flags;
    return this.runExecution(flags, {
      command: args.command,
      image,
      secrets,
      env: env && parseEnvPairs(env, process.env),
      timeout: timeout === undefined ? undefined : parseTimeoutFlag(timeout),
      git_repo: flags['git-repo'],
      git_ref: flags['git-ref'],
      git_path: flags['git-path'],
    });
  }
}
