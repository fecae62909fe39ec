import { hostname, tmpdir } from 'node:os';
import { Flags } from '@oclif/core';
import type { Logger } from 'pino';
import { findWorkerApi } from '../cli/api/find-api.js';
import { parseDurationFlag } from '../cli/command/arguments.js';
import { BaseCommand } from '../cli/command/base-command.js';
import { waitForStopSignal } from '../cli/command/signals.js';
import { SetupError } from '../contract/errors.js';

export default class WorkerCommand extends BaseCommand {
  static override description = `Run a worker: claim jobs, run them, upload the files, report the results.

--exec turns any program into a worker. The program gets the job as JSON on stdin and in the file JOB_FILE, and an empty
directory OUTPUT_DIR whose files are uploaded. It prints the result payload as the last JSON line on stdout. Lines like
"PROGRESS: 0.4 text" on stderr report progress. A non-zero exit code fails the job.

Finds the API in API_ENDPOINT, API_USERNAME and API_PASSWORD, or else in the running local system.`;
  static override examples = [
    'reefguide worker --types TEST',
    `reefguide worker --types SUITABILITY_ASSESSMENT --exec 'node examples/workers/suitability-assessment.mjs'`,
  ];
  static override flags = {
    types: Flags.string({ description: 'Job types to claim, comma-separated', env: 'JOB_TYPES', required: true }),
    exec: Flags.string({ description: 'Program that runs the jobs' }),
    concurrency: Flags.integer({ description: 'Number of jobs to run at once', default: 1, min: 1, max: 100 }),
    'idle-timeout': Flags.string({
      description: 'Exit after this time without a job, for example 2m; 0 never exits',
      default: '2m',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(WorkerCommand);
    const idleTimeoutMs = parseDurationFlag('--idle-timeout', flags['idle-timeout']);
    const names = flags.types.split(',').map((type) => type.trim());
    const types = names.filter(Boolean);
    const { createLog } = await import('../platform/log.js');
    const { Worker } = await import('../worker/worker.js');
    const { readTaskIdentity } = await import('../worker/task.js');
    const log = createLog(process.env.LOG_LEVEL || 'info');
    const handlers = await createHandlers(types, flags.exec, log);
    const worker = new Worker({
      api: await findWorkerApi(process.env),
      log,
      task: await readTaskIdentity(process.env, { hostname: hostname(), pid: process.pid }),
      handlers,
      concurrency: flags.concurrency,
      idleTimeoutMs: idleTimeoutMs === 0 ? undefined : idleTimeoutMs,
      scratchDirectory: process.env.REEFGUIDE_TASK_FOLDER ?? `${tmpdir()}/reefguide-worker-${process.pid}`,
      graceMs: Number(process.env.STOP_GRACE_SECONDS || 20) * 1000,
      now: Date.now,
    });
    void waitForStopSignal().then((signal) => {
      log.info({ signal }, 'stopping');
      worker.stop();
    });
    log.info({ types }, 'the worker is ready');
    await worker.run();
    log.info('the worker exits');
    log.flush();
    this.exit(0);
  }
}

/** Creates a handler for each job type: the program of `--exec`, or else the built-in handler. */
async function createHandlers(types: readonly string[], program: string | undefined, log: Logger) {
  const { createExecHandler } = await import('../worker/exec.js');
  const { builtInHandlers } = await import('../worker/handler.js');
  const createHandler = (type: string) => {
    if (program !== undefined)
      return createExecHandler(program, { env: process.env, log: (line) => log.info({ type, line }, 'program') });
    const builtIn = builtInHandlers[type];
    if (builtIn) return builtIn;
    throw new SetupError(`There is no built-in worker for ${type}`, {
      hint: `Name a program with --exec. Built in: ${Object.keys(builtInHandlers).join(', ')}.`,
    });
  };
  return Object.fromEntries(types.map((type) => [type, createHandler(type)]));
}
