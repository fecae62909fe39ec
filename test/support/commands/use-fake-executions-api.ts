import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { type FakeExecutionsApi, startFakeExecutionsApi } from '../fakes/executions-api.js';
import type { Finished } from '../program.js';
import { runInProcess } from './run-in-process.js';

export interface CommandFixture {
  /** Temporary directory of the test file. */
  directory(): string;
  api(): FakeExecutionsApi;
  /** Lets the fake API answer a route, e.g. `GET /api/v1/images`. */
  answer(route: string, body: unknown, status?: number): void;
  run(args: string[], env?: Record<string, string>): Promise<Finished>;
}

/** Starts a fake executions API for the tests of a file, and runs commands in this process against the fake. */
export function useFakeExecutionsApi(): CommandFixture {
  let directory: string;
  let api: FakeExecutionsApi;
  beforeAll(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'reefguide-commands-'));
    api = await startFakeExecutionsApi();
  });
  afterEach(() => {
    api.answers.clear();
    api.plan({});
  });
  afterAll(async () => {
    await api.close();
    await rm(directory, { recursive: true, force: true });
  });
  return {
    directory: () => directory,
    api: () => api,
    answer: (route, body, status = 200) => api.answers.set(route, { status, body }),
    run: (args, env = {}) =>
      runInProcess(args, {
        REEFGUIDE_HOME: path.join(directory, 'home'),
        XDG_CONFIG_HOME: path.join(directory, 'config'),
        REEFGUIDE_API: api.url,
        REEFGUIDE_API_KEY: 'the key',
        ...env,
      }),
  };
}
