import path from 'node:path';
import { Flags } from '@oclif/core';
import type { ListrTask } from 'listr2';
import { BaseCommand } from '../cli/command/base-command.js';
import type { LocalSystem } from '../cli/local-system/start.js';

export default class Dev extends BaseCommand {
  static override description =
    `Bring the whole system up on this machine: database, API, event processor, and a capacity manager with local workers.

Everything it keeps is in REEFGUIDE_HOME (default: .reefguide); deleting that folder resets it to new.`;
  static override examples = [
    '<%= config.bin %> dev',
    '<%= config.bin %> dev --demo',
    '<%= config.bin %> dev --port 5001 --no-capacity',
  ];
  static override flags = {
    port: Flags.integer({ description: 'Port of the API', default: 5000, min: 0, max: 65_535 }),
    'orchestrator-port': Flags.integer({
      description: 'Second port of the API',
      default: 8080,
      env: 'RUNVOY_DEV_SERVER_PORT',
      min: 0,
      max: 65_535,
    }),
    'processor-port': Flags.integer({
      description: 'Port of the event processor',
      default: 8081,
      env: 'RUNVOY_EVENT_PROCESSOR_PORT',
      min: 0,
      max: 65_535,
    }),
    capacity: Flags.boolean({ description: 'Run the capacity manager', default: true, allowNo: true }),
    workers: Flags.string({
      description: 'Workers file (default: configs/local-workers.json, or the examples)',
      env: 'REEFGUIDE_WORKERS',
    }),
    demo: Flags.boolean({ description: 'Run sample jobs and a command to their results, then exit' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Dev);
    const [
      { existsSync },
      { homeDirectory },
      { parseEnvironment, serverEnvironment },
      { createLog },
      { RequestLog },
      { startLocalSystem },
      { exampleWorkersFile },
      { untilStopped },
      { Listr },
    ] = await Promise.all([
      import('node:fs'),
      import('../platform/home.js'),
      import('../environment/server.js'),
      import('../platform/log.js'),
      import('../audit/request-log.js'),
      import('../cli/local-system/start.js'),
      import('../cli/capacity/start-local.js'),
      import('../cli/command/signals.js'),
      import('listr2'),
    ]);
    const home = homeDirectory();
    const environment = parseEnvironment(serverEnvironment, process.env);
    const requestLog = new RequestLog();
    const logFile = path.join(home, 'logs', 'reefguide.log');
    const ownWorkers = path.resolve('configs/local-workers.json');
    const workersFile = flags.workers ?? (existsSync(ownWorkers) ? ownWorkers : exampleWorkersFile);
    const stopped = untilStopped();
    const listr = (tasks: ListrTask[]) =>
      new Listr(tasks, {
        rendererOptions: { collapseSubtasks: false, collapseErrors: false, showErrorMessage: false },
        renderer: process.stderr.isTTY ? 'default' : 'simple',
        fallbackRenderer: 'simple',
        registerSignalListeners: false,
        forceTTY: false,
      });
    const titles = {
      database: 'the database',
      schema: 'the database schema',
      accounts: 'keys and accounts',
      listening: 'the API',
    };
    let system: LocalSystem | undefined;
    const began = performance.now();
    await listr([
      {
        title: 'Start the local system',
        task: async (_, task) => {
          const [{ createDirectory }, { explainWriteErrors }] = await Promise.all([
            import('../platform/files.js'),
            import('../platform/system-errors.js'),
          ]);
          await explainWriteErrors(logFile, () => createDirectory(path.dirname(logFile)));
          system = await startLocalSystem({
            environment,
            env: process.env,
            home,
            log: createLog(environment.LOG_LEVEL, { file: logFile, sink: requestLog }),
            requestLog,
            port: flags.port,
            orchestratorPort: flags['orchestrator-port'],
            processorPort: flags['processor-port'],
            workersFile: flags.capacity ? workersFile : undefined,
            onStep: (step) => {
              task.output = `starting ${titles[step]}`;
            },
          });
          task.title = `The local system is ready, ${((performance.now() - began) / 1000).toFixed(1)} s`;
        },
      },
    ]).run();
    if (!system) return;
    const running = system;
    try {
      if (flags.demo) await Promise.race([this.demo(running, home, listr), stopped.then(() => this.exit(130))]);
      else {
        this.introduce(running, home, logFile);
        await stopped;
        this.tell('Stopping: workers finish or hand back their jobs …');
      }
    } finally {
      await running.stop();
    }
    this.exit(0);
  }

  private async demo(
    system: LocalSystem,
    home: string,
    listr: (tasks: ListrTask[]) => { run(): Promise<unknown> },
  ): Promise<void> {
    const [{ createApi }, { demoTasks }] = await Promise.all([
      import('../client/api.js'),
      import('../cli/local-system/demo.js'),
    ]);
    const api = createApi({
      baseUrl: system.endpoints.api,
      credentials: { kind: 'apiKey', apiKey: system.credentials.apiKey },
    });
    const files: string[] = [];
    await listr(demoTasks(api, path.join(home, 'demo'), (file) => files.push(file))).run();
    this.log('Results:');
    for (const file of files) this.log(`  ${path.relative(process.cwd(), file)}`);
  }

  private introduce({ endpoints, credentials, groups }: LocalSystem, home: string, logFile: string): void {
    // In a checkout the command is reached through npx.
    const command = path.relative(process.cwd(), this.config.root) === '' ? 'npx reefguide' : 'reefguide';
    const shown = (file: string) => path.relative(process.cwd(), path.join(home, file)) || file;
    this.log(`
  API              ${endpoints.api}/api        (description: ${endpoints.api}/api/docs)
  Orchestrator     ${endpoints.orchestrator}/api/v1
  Event processor  ${endpoints.processor}
  Workers          ${groups.length > 0 ? groups.join(', ') : 'none (no capacity manager)'}

  Administrator    ${credentials.admin.email}; passwords and API key in ${shown('credentials.json')}
  Log              ${path.relative(process.cwd(), logFile)}

  Try, in another terminal:
    ${command} jobs submit TEST --input '{"id": 1}' --watch
    ${command} jobs submit SUITABILITY_ASSESSMENT --input '{"region":"Townsville-Whitsunday","reef_type":"slopes","x_dist":100,"y_dist":100}' --watch
    ${command} jobs list
    ${command} run 'echo hello from $(uname -s)'
    ${command} capacity status

  Ctrl+C stops everything.`);
  }
}
