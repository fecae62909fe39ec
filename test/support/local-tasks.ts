import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { z } from 'zod';
import { CapacityManager } from '../../src/capacity/manager/manager.js';
import { createApi } from '../../src/client/api.js';
import { sleep } from '../../src/client/sleep.js';
import { LocalCompute, type LocalComputeOptions } from '../../src/compute/local/provider.js';
import type { TaskStoppedEvent } from '../../src/compute/local/stopped-event.js';
import type { Compute } from '../../src/compute/provider.js';
import { regional } from './jobs.js';
import type { TestService } from './service.js';
import { until } from './until.js';

/** A minimal worker: reads its metadata, claims one job, writes a note about both, and works forever. */
const program = `
import { renameSync, writeFileSync } from 'node:fs';
if (process.env.STUBBORN) process.on('SIGTERM', () => {});
const { API, API_KEY, NOTES, JOB_TYPE, ECS_CONTAINER_METADATA_URI_V4: uri } = process.env;
const [task, container] = await Promise.all([uri + '/task', uri].map(async (url) => (await fetch(url)).json()));
const answer = await fetch(API + '/api/jobs/claim', {
  method: 'POST',
  headers: { 'x-api-key': API_KEY, 'content-type': 'application/json' },
  body: JSON.stringify({ jobTypes: [JOB_TYPE], ecsTaskArn: task.TaskARN, ecsClusterArn: task.Cluster, wait: 20 }),
});
const { claims } = await answer.json();
const note = { pid: process.pid, task, container, jobId: claims[0]?.job.id };
writeFileSync(NOTES + '/.' + process.pid, JSON.stringify(note));
renameSync(NOTES + '/.' + process.pid, NOTES + '/' + process.pid);
setInterval(() => {}, 1000);
`;

const note = z.object({
  pid: z.number(),
  task: z.record(z.string(), z.unknown()),
  container: z.record(z.string(), z.unknown()),
  jobId: z.number().optional(),
});
export type TaskNote = z.infer<typeof note>;

export const group = 'workers';
export const silent = pino({ level: 'silent' });

export interface TaskFixture {
  directory: string;
  /** Events of stopped tasks. */
  stopped: TaskStoppedEvent[];
  /** Opens compute, which `close` closes. */
  compute(options?: Partial<LocalComputeOptions> & { stubborn?: boolean }): Promise<Compute>;
  /** Makes a manager of one group with at most three tasks. */
  manager(compute: Compute, options?: { holder?: string; now?: () => number }): CapacityManager;
  /** Returns the notes of the tasks, as soon as there are `count`. */
  notes(count: number): Promise<TaskNote[]>;
  close(): Promise<void>;
}

/** Opens local compute and managers for a test service. */
export async function openTaskFixture(system: TestService): Promise<TaskFixture> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'reefguide-tasks-'));
  const notes = path.join(directory, 'notes');
  await mkdir(notes);
  await writeFile(path.join(directory, 'task.mjs'), program);
  const createKey = async (role: 'WORKER' | 'MANAGER') => system.apiKey((await system.as(role)).userId);
  const [workerKey, managerKey] = [await createKey('WORKER'), await createKey('MANAGER')];
  const opened: Compute[] = [];
  const stopped: TaskStoppedEvent[] = [];
  return {
    directory,
    stopped,
    async compute({ stubborn = false, ...options } = {}) {
      const compute = await LocalCompute.open({
        definitions: [
          {
            group,
            entryPoint: [process.execPath],
            command: [path.join(directory, 'task.mjs')],
            environment: {
              API: system.url,
              API_KEY: workerKey,
              NOTES: notes,
              JOB_TYPE: regional,
              ...(stubborn ? { STUBBORN: '1' } : {}),
            },
            image: 'worker:1',
          },
        ],
        directory: path.join(directory, 'tasks'),
        logDirectory: path.join(directory, 'logs'),
        environment: { PATH: process.env.PATH },
        log: silent,
        async onStopped(event) {
          stopped.push(event);
          const answer = await fetch(`${system.processorUrl}/process`, { method: 'POST', body: JSON.stringify(event) });
          await answer.body?.cancel();
        },
        now: Date.now,
        ...options,
      });
      opened.push(compute);
      return compute;
    },
    manager: (compute, { holder = randomUUID(), now = Date.now } = {}) =>
      new CapacityManager({
        api: createApi({ baseUrl: system.url, credentials: { kind: 'apiKey', apiKey: managerKey } }),
        compute,
        groups: [
          {
            name: group,
            jobTypes: [regional],
            scaling: {
              min: 0,
              max: 3,
              factor: 1,
              sensitivity: 100,
              cooldownSeconds: 0,
              policy: { kind: 'logarithmic' },
            },
          },
        ],
        holder,
        pollIntervalMs: 1_000,
        log: silent,
        now,
        sleep,
        random: () => 0.5,
        newToken: randomUUID,
      }),
    notes: (count) =>
      until(
        async () => {
          const names = (await readdir(notes)).filter((name) => !name.startsWith('.'));
          if (names.length < count) return undefined;
          const texts = await Promise.all(names.map((name) => readFile(path.join(notes, name), 'utf8')));
          return texts.map((text) => note.parse(JSON.parse(text)));
        },
        { what: `${count} tasks at work` },
      ),
    async close() {
      await Promise.all(opened.map((compute) => compute.close()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
