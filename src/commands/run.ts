import { Args, Flags } from '@oclif/core';
import { wrongUsage } from '../cli/command/arguments.js';
import { RunCommand } from '../cli/executions/run-command.js';

export default class Run extends RunCommand {
  static override description = `Run a command in a container, with its logs as they come.

The command is one argument, run by a shell (sh -c); this command exits with its exit code. Ctrl+C asks whether to kill it
or to leave it running; without a terminal, SIGINT and SIGTERM kill it. --json prints how it ended, with the logs on stderr.`;
  static override examples = [
    `<%= config.bin %> run 'echo hello'`,
    `<%= config.bin %> run 'echo "$REGION"' --env REGION=Townsville-Whitsunday --timeout 10m`,
    `<%= config.bin %> run 'make report' --git-repo https://github.com/example/reports.git --git-ref main --secret data-token`,
    `<%= config.bin %> run 'sleep 60' --detach`,
  ];
  static override args = { command: Args.string({ description: 'What to run, in quotes', required: true }) };
  /** Words without quotes are answered with what to write. */
  static override strict = false;
  static override flags = {
    'git-repo': Flags.string({ description: 'Git repository that is cloned first' }),
    'git-ref': Flags.string({ description: 'Branch, tag or commit (default: the default branch)' }),
    'git-path': Flags.string({ description: 'Folder of the repository to run in' }),
  };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, argv, flags } = await this.parse(Run);
    if (argv.length > 1) throw wrongUsage(`Quote the command: reefguide run '${argv.join(' ')}'`);
    const [{ parseEnvPairs }, { parseTimeout }] = await Promise.all([
      import('../cli/executions/parse-flags.js'),
      import('../cli/executions/run-command.js'),
    ]);
    const {
      image,
      env: pairs = [],
      secret: secrets = [],
      timeout,
      'git-repo': repo,
      'git-ref': ref,
      'git-path': path,
    } = flags;
    return this.runExecution(flags, {
      command: args.command,
      ...(image === undefined ? {} : { image }),
      ...(pairs.length === 0 ? {} : { env: parseEnvPairs(pairs, process.env) }),
      ...(secrets.length === 0 ? {} : { secrets }),
      ...(timeout === undefined ? {} : { timeout: parseTimeout(timeout) }),
      ...(repo === undefined ? {} : { git_repo: repo }),
      ...(ref === undefined ? {} : { git_ref: ref }),
      ...(path === undefined ? {} : { git_path: path }),
    });
  }
}
