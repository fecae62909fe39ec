import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/command/base-command.js';
import { parseDuration } from '../cli/output/format.js';
import { SetupError } from '../contract/errors.js';

export default class WorkerCommand extends BaseCommand {
  static override description = `Run a worker: claim jobs, do them, upload what they made, report.

--exec turns any program into a worker. It gets the job as JSON on stdin and in the file JOB_FILE, and an empty folder
OUTPUT_DIR whose files are uploaded. It prints its result payload as the last JSON line on stdout; lines on stderr like
"PROGRESS: 0.4 text" are progress; a non-zero exit fails the job.

The API comes from API_ENDPOINT, API_USERNAME and API_PASSWORD, or from the running local system.`;
  static override examples = [
    '<%= config.bin %> worker --types TEST',
    `<%= config.bin %> worker --types SUITABILITY_ASSESSMENT --exec 'node examples/workers/suitability-assessment.mjs'`,
  ];
  static override flags = {
    types: Flags.string({ description: 'Job types to take, comma-separated', env: 'JOB_TYPES', required: true }),
    exec: Flags.string({ description: 'Program that does the jobs' }),
    concurrency: Flags.integer({ description: 'Jobs at once', default: 1, min: 1, max: 100 }),
    'idle-timeout': Flags.string({
      description: 'Leave after so long without a job (for example 2m); 0 stays',
      default: '2m',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(WorkerCommand);
    const types = flags.types
      .split(',')
      .map((type) => type.trim())
      .filter(Boolean);
    const idleTimeoutMs = flags['idle-timeout'] === '0' ? 0 : parseDuration(flags['idle-timeout']);
    if (idleTimeoutMs === undefined)
      this.error(`--idle-timeout ${flags['idle-timeout']} is no duration: write for example 90s or 2m`, { exit: 2 });
    const [
      { createLog },
      { execHandler },
      { builtInHandlers },
      { createWorker },
      { readTaskIdentity },
      { untilStopped },
      { tmpdir, hostname },
      { findWorkerApi },
    ] = await Promise.all([
      import('../platform/log.js'),
      import('../worker/exec.js'),
      import('../worker/handler.js'),
      import('../worker/worker.js'),
      import('../worker/task.js'),
      import('../cli/command/signals.js'),
      import('node:os'),
      import('../cli/api/find-worker-api.js'),
    ]);
    const log = createLog(process.env.LOG_LEVEL || 'info');
    const handlerOf = (type: string) => {
      if (flags.exec !== undefined)
        return execHandler(flags.exec, { env: process.env, log: (line) => log.info({ type, line }, 'program') });
      const builtIn = builtInHandlers[type];
      if (builtIn) return builtIn;
      throw new SetupError(`There is no built-in worker for ${type}`, {
        hint: `Give the program that does it with --exec. Built in: ${Object.keys(builtInHandlers).join(', ')}.`,
      });
    };
    const handlers = Object.fromEntries(types.map((type) => [type, handlerOf(type)]));
    const worker = createWorker({
      api: await findWorkerApi(process.env),
      log,
      task: await readTaskIdentity(process.env, { hostname: hostname(), pid: process.pid }),
      handlers,
      concurrency: flags.concurrency,
      idleTimeoutMs: idleTimeoutMs === 0 ? undefined : idleTimeoutMs,
      scratchFolder: process.env.REEFGUIDE_TASK_FOLDER ?? `${tmpdir()}/reefguide-worker-${process.pid}`,
      graceMs: Number(process.env.STOP_GRACE_SECONDS || 20) * 1000,
      now: Date.now,
    });
    void untilStopped().then((signal) => {
      log.info({ signal }, 'stopping');
      worker.stop();
    });
    log.info({ types }, 'the worker is ready');
    await worker.run();
    log.info('the worker leaves');
    log.flush();
    this.exit(0);
  }
}
