import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { createApi } from '../../src/client/api.js';
import { createExecHandler } from '../../src/worker/exec.js';
import type { JobHandler } from '../../src/worker/handler.js';
import { Worker, type WorkerOptions } from '../../src/worker/worker.js';
import { newTask, regional } from './jobs.js';
import type { TestService } from './service.js';

export interface RunningWorker {
  stop(): void;
  /** Resolves when the worker has ended. */
  done: Promise<void>;
}

export interface WorkerFixture {
  /** Directory for files that programs write and wait for; its path is FOLDER in their environment. */
  directory: string;
  /** Starts a worker, which `close` stops. */
  start(options: Partial<WorkerOptions> & { baseUrl?: string }): Promise<RunningWorker>;
  /** Creates a handler that runs a shell command and kills it `killAfterMs` after SIGTERM. */
  exec(command: string, killAfterMs?: number): Record<string, JobHandler>;
  close(): Promise<void>;
}

/** Runs workers of a test service, with short intervals. */
export async function createWorkerFixture(system: TestService): Promise<WorkerFixture> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'reefguide-workers-'));
  const { userId } = await system.as('WORKER');
  const apiKey = await system.apiKey(userId);
  const started: RunningWorker[] = [];
  return {
    directory,
    async start({ baseUrl = system.url, ...options }) {
      const { ecsTaskArn: taskArn, ecsClusterArn: clusterArn } = newTask();
      const worker = new Worker({
        api: createApi({ baseUrl, credentials: { kind: 'apiKey', apiKey } }),
        log: pino({ level: process.env.TEST_LOG ?? 'silent' }),
        task: { taskArn, clusterArn },
        handlers: {},
        concurrency: 1,
        idleTimeoutMs: undefined,
        scratchDirectory: path.join(directory, 'scratch'),
        heartbeatMs: 50,
        graceMs: 0,
        now: Date.now,
        ...options,
      });
      const running = { stop: () => worker.stop(), done: worker.run() };
      started.push(running);
      return running;
    },
    exec: (command, killAfterMs = 5_000) => ({
      [regional]: createExecHandler(command, {
        env: { PATH: process.env.PATH, FOLDER: directory, NODE: process.execPath },
        log: () => {},
        killAfterMs,
      }),
    }),
    async close() {
      for (const worker of started) worker.stop();
      await Promise.allSettled(started.map(({ done }) => done));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
