import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { isRunning, readPids, untilGone } from '../../../../support/processes.js';
import { freePort, startProgram } from '../../../../support/program.js';
import { startTestService, type TestService } from '../../../../support/service.js';
import { until } from '../../../../support/until.js';

let system: TestService;
beforeAll(async () => {
  system = await startTestService({ runner: null });
});
afterAll(() => system.close());

const startServe = async () => {
  const port = await freePort();
  const program = startProgram(['serve', '--port', String(port)], {
    cwd: system.home,
    env: { REEFGUIDE_HOME: system.home, DATABASE_URL: system.testDatabase.url, EXECUTION_ENGINE: 'none' },
  });
  await program.prints('the API listens');
  return { program, url: `http://127.0.0.1:${port}` };
};

it('a server after a killed one: ends the commands and executions of the killed server', async () => {
  const operator = await system.as('OPERATOR');
  const headers = { 'x-api-key': await system.apiKey(operator.userId), 'content-type': 'application/json' };
  const pidsFile = path.join(system.home, 'pids');
  const command = `trap '' TERM; echo $$ >> ${pidsFile}; sleep 300 & echo $! >> ${pidsFile}; wait; sleep 300`;
  const first = await startServe();
  const answer = await fetch(`${first.url}/api/v1/run`, { method: 'POST', headers, body: JSON.stringify({ command }) });
  // biome-ignore lint/suspicious/noExplicitAny: tests look at answers freely
  const { execution_id: id }: any = await answer.json();
  const pids = await readPids(pidsFile, 2);
  const readStatus = async () => (await operator.get(`/api/v1/executions/${id}/status`)).body;
  await until(async () => (await readStatus()).status === 'RUNNING');
  first.program.child.kill('SIGKILL');
  await first.program.finished;
  expect([pids.map(isRunning), (await readStatus()).status]).toEqual([[true, true], 'RUNNING']);

  const second = await startServe();
  await untilGone(...pids);
  expect(await readStatus()).toMatchObject({ status: 'FAILED', exit_code: null });
  const { body } = await operator.get(`/api/v1/executions/${id}/logs`);
  expect(body.events.at(-1).message).toBe('[reefguide] the task has gone, and nothing reported how the command ended');
  expect(await readdir(path.join(system.home, 'executions'))).toEqual([]);
  second.program.child.kill('SIGTERM');
  expect((await second.program.finished).code).toBe(0);
}, 60_000);
