import { existsSync } from 'node:fs';
import path from 'node:path';
import { Flags } from '@oclif/core';
import { exampleWorkersFile } from '../cli/capacity/program-root.js';
import { BaseCommand } from '../cli/command/base-command.js';
import { waitForStopSignal } from '../cli/command/signals.js';
import type { LocalSystem, LocalSystemOptions } from '../cli/local-system/start.js';
import { runTasks } from '../cli/output/steps.js';
import { createApi } from '../client/api.js';
import { serverEnvironment } from '../environment/server.js';
import { parseEnvironment } from '../environment/variables.js';
import { createDirectory } from '../platform/files.js';
import { homeDirectory } from '../platform/home.js';
import { explainWriteErrors } from '../platform/system-errors.js';

const port = (description: string, defaultPort: number, env?: string) =>
  Flags.integer({ description, default: defaultPort, min: 0, max: 65_535, ...(env ? { env } : {}) });

const stepMessages = {
  database: 'Starting the database',
  schema: 'Migrating the database',
  accounts: 'Creating keys and accounts',
  listening: 'Starting the API',
};

export default class Dev extends BaseCommand {
  static override description =
    `Run the whole system on this machine: database, API, event processor, and a capacity manager with local workers.

Keeps all data in REEFGUIDE_HOME (default: .reefguide). Delete that directory to start over.`;
  static override examples = ['reefguide dev', 'reefguide dev --demo', 'reefguide dev --port 5001 --no-capacity'];
  static override flags = {
    port: port('Port of the API', 5000),
    'orchestrator-port': port('Second port of the API', 8080, 'RUNVOY_DEV_SERVER_PORT'),
    'processor-port': port('Port of the event processor', 8081, 'RUNVOY_EVENT_PROCESSOR_PORT'),
    capacity: Flags.boolean({ description: 'Run the capacity manager', default: true, allowNo: true }),
    workers: Flags.string({
      description: 'Workers file (default: configs/local-workers.json, or the examples)',
      env: 'REEFGUIDE_WORKERS',
    }),
    demo: Flags.boolean({ description: 'Run sample jobs and a command to their results, then exit' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Dev);
    const home = homeDirectory();
    const logFile = path.join(home, 'logs', 'reefguide.log');
    const configuredWorkers = path.resolve('configs/local-workers.json');
    const workersFile = flags.workers ?? (existsSync(configuredWorkers) ? configuredWorkers : exampleWorkersFile);
    const stopped = waitForStopSignal();
    const system = await startWithProgress(logFile, {
      home,
      env: process.env,
      port: flags.port,
      orchestratorPort: flags['orchestrator-port'],
      processorPort: flags['processor-port'],
      workersFile: flags.capacity ? workersFile : undefined,
    });
    try {
      if (flags.demo) await Promise.race([this.runDemo(system, home), stopped.then(() => this.exit(130))]);
      else {
        // A checkout has the command in node_modules/.bin, so npx finds it there.
        const program = path.relative('', this.config.root) === '' ? 'npx reefguide' : 'reefguide';
        this.log(describeLocalSystem(system, { home, logFile, program }));
        await stopped;
        this.report('Stopping: workers finish or release their jobs …');
      }
    } finally {
      await system.stop();
    }
    this.exit(0);
  }

  private async runDemo({ endpoints, credentials }: LocalSystem, home: string): Promise<void> {
    const { createDemoTasks } = await import('../cli/local-system/demo.js');
    const api = createApi({ baseUrl: endpoints.api, credentials: { kind: 'apiKey', apiKey: credentials.apiKey } });
    const files: string[] = [];
    await runTasks(createDemoTasks(api, path.join(home, 'demo'), (file) => files.push(file)));
    this.log('Results:');
    for (const file of files) this.log(`  ${path.relative(process.cwd(), file)}`);
  }
}

/** Starts the local system, which logs to `logFile`, and shows the current step. */
async function startWithProgress(
  logFile: string,
  options: Omit<LocalSystemOptions, 'environment' | 'log' | 'requestLog'>,
): Promise<LocalSystem> {
  const { createLog } = await import('../platform/log.js');
  const { RequestLog } = await import('../audit/request-log.js');
  const { startLocalSystem } = await import('../cli/local-system/start.js');
  const environment = parseEnvironment(serverEnvironment, process.env);
  const requestLog = new RequestLog();
  const startedAt = performance.now();
  const { system } = await runTasks<{ system: LocalSystem }>([
    {
      title: 'Start the local system',
      task: async (context, task) => {
        await explainWriteErrors(logFile, () => createDirectory(path.dirname(logFile)));
        context.system = await startLocalSystem({
          ...options,
          environment,
          log: createLog(environment.LOG_LEVEL, { file: logFile, sink: requestLog }),
          requestLog,
          onStep: (step) => {
            task.output = stepMessages[step];
          },
        });
        task.title = `Started the local system in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
      },
    },
  ]);
  return system;
}

/** Describes the running local system: endpoints, accounts, and commands to try with `program`, e.g. `npx reefguide`. */
function describeLocalSystem(
  { endpoints, credentials, groups }: LocalSystem,
  { home, logFile, program }: { home: string; logFile: string; program: string },
): string {
  const credentialsFile = path.relative(process.cwd(), path.join(home, 'credentials.json'));
  return `
  API              ${endpoints.api}/api        (description: ${endpoints.api}/api/docs)
  Orchestrator     ${endpoints.orchestrator}/api/v1
  Event processor  ${endpoints.processor}
  Workers          ${groups.length > 0 ? groups.join(', ') : 'none (no capacity manager)'}

  Administrator    ${credentials.admin.email}; passwords and API key in ${credentialsFile}
  Log              ${path.relative(process.cwd(), logFile)}

  Try, in another terminal:
    ${program} jobs submit TEST --input '{"id": 1}' --watch
    ${program} jobs submit SUITABILITY_ASSESSMENT --input '{"region":"Townsville-Whitsunday","reef_type":"slopes","x_dist":100,"y_dist":100}' --watch
    ${program} jobs list
    ${program} run 'echo hello from $(uname -s)'
    ${program} capacity status

  Ctrl+C stops everything.`;
}
