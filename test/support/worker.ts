import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { createApi } from '../../src/client/api.js';
import { execHandler } from '../../src/worker/exec.js';
import type { JobHandler } from '../../src/worker/handler.js';
import { createWorker, type Worker, type WorkerOptions } from '../../src/worker/worker.js';
import { newTask, regional } from './jobs.js';
import type { TestService } from './service.js';

export interface RunningWorker extends Worker {
  /** Resolves when the worker has left. */
  done: Promise<void>;
}

export interface Workshop {
  /** For what programs leave behind, and for what they wait for. */
  folder: string;
  /** Starts a worker; whoever still runs is stopped at the end. */
  start(options: Partial<WorkerOptions> & { baseUrl?: string }): Promise<RunningWorker>;
  /** A handler that runs a shell command, with FOLDER in its environment; it has so long to end after SIGTERM. */
  exec(command: string, killAfterMs?: number): Record<string, JobHandler>;
  close(): Promise<void>;
}

/** Workers of a test service, with short times. */
export async function openWorkshop(system: TestService): Promise<Workshop> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'reefguide-workers-'));
  const { userId } = await system.as('WORKER');
  const apiKey = await system.apiKey(userId);
  const started: RunningWorker[] = [];
  return {
    folder,
    async start({ baseUrl = system.url, ...options }) {
      const { ecsTaskArn: taskArn, ecsClusterArn: clusterArn } = newTask();
      const worker = createWorker({
        api: createApi({ baseUrl, credentials: { kind: 'apiKey', apiKey } }),
        log: pino({ level: process.env.TEST_LOG ?? 'silent' }),
        task: { taskArn, clusterArn },
        handlers: {},
        concurrency: 1,
        idleTimeoutMs: undefined,
        scratchFolder: path.join(folder, 'scratch'),
        heartbeatMs: 50,
        graceMs: 0,
        now: Date.now,
        ...options,
      });
      const running = { ...worker, done: worker.run() };
      started.push(running);
      return running;
    },
    exec: (command, killAfterMs = 5_000) => ({
      [regional]: execHandler(command, {
        env: { PATH: process.env.PATH, FOLDER: folder, NODE: process.execPath },
        log: () => {},
        killAfterMs,
      }),
    }),
    async close() {
      for (const worker of started) worker.stop();
      await Promise.allSettled(started.map(({ done }) => done));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
