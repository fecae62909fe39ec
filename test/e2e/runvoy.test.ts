// Executions from end to end, as clients of runvoy use them: `reefguide dev`, HTTP, a WebSocket, the command line.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, type RunningProgram, runProgram, startProgram } from '../support/program.js';
import { listenTo } from '../support/sockets.js';
import { until } from '../support/until.js';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
let directory: string;
let env: Record<string, string>;
let dev: RunningProgram;
let orchestrator: string;
let processor: string;
let key: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'reefguide-runvoy-'));
  const [port, ports] = [await freePort(), { orchestrator: await freePort(), processor: await freePort() }];
  orchestrator = `http://localhost:${ports.orchestrator}`;
  processor = `http://localhost:${ports.processor}`;
  env = {
    REEFGUIDE_HOME: path.join(directory, 'home'),
    XDG_CONFIG_HOME: path.join(directory, 'config'),
    NO_COLOR: '1',
    EXECUTION_ENGINE: 'none',
    RUNVOY_DEV_SERVER_PORT: String(ports.orchestrator),
    RUNVOY_EVENT_PROCESSOR_PORT: String(ports.processor),
    RUNVOY_EXECUTIONS_TABLE: 'executions',
  };
  dev = startProgram(['dev', '--port', String(port), '--no-capacity'], { env, cwd: directory });
  await dev.prints('Ctrl+C stops everything');
  key = JSON.parse(await readFile(path.join(directory, 'home', 'credentials.json'), 'utf8')).apiKey;
});
afterAll(async () => {
  dev.child.kill('SIGINT');
  await dev.finished;
  await rm(directory, { recursive: true, force: true });
});

const cli = (...args: string[]) => runProgram(args, { env, cwd: directory });
// biome-ignore lint/suspicious/noExplicitAny: tests look at answers freely
const ask = async (target: string, init: RequestInit = {}): Promise<any> => {
  const response = await fetch(`${orchestrator}${target}`, {
    ...init,
    headers: { 'X-API-Key': key, 'Content-Type': 'application/json' },
  });
  return response.json();
};

describe('a client of runvoy', () => {
  it('runs a command, follows its log and reads its status', async () => {
    expect(await ask('/api/v1/health')).toMatchObject({ status: 'ok', provider: 'local' });
    const body = JSON.stringify({ imageUri: 'ubuntu:22.04', command: 'sleep 0.1; echo slept' });
    const started = await ask('/api/v1/run', { method: 'POST', body });
    expect(started).toMatchObject({ image_id: 'ubuntu:22.04', websocket_url: expect.stringMatching(/^ws:/) });
    const listener = listenTo(started.websocket_url);
    expect(await listener.closed).toEqual({ code: 1000, reason: 'execution_completed' });
    expect(listener.lines().at(-1)).toBe('slept');
    const state = () => ask(`/api/v1/executions/${started.execution_id}/status`);
    await until(async () => (await state()).status === 'SUCCEEDED');
    expect(await state()).toMatchObject({ status: 'SUCCEEDED', exit_code: 0 });
  });

  it('sends every example event, and the end of a task ends its command', async () => {
    expect(await (await fetch(`${processor}/health`)).json()).toEqual({ status: 'ok', component: 'async-processor' });
    const script = path.join(examples, 'try-events.sh');
    const { status, stdout, stderr } = spawnSync('sh', [script, processor, orchestrator], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    expect([status, stdout, stderr]).toEqual([0, expect.stringContaining("The command's status is SUCCEEDED"), '']);
  });

  it('finds one warning in the log about variables that name tables', async () => {
    const log = await readFile(path.join(directory, 'home', 'logs', 'reefguide.log'), 'utf8');
    expect(log.match(/ignored variables that name tables/g)).toHaveLength(1);
  });
});

describe('the command line', () => {
  it('run prints the lines and ends with the code of the command', async () => {
    const { code, stdout } = await cli('run', 'echo one; echo two >&2; exit 7');
    expect(code).toBe(7);
    expect(stdout.split('\n').map((line) => line.replace(/^ *(\d+) {2}[\d:]{8} {2}/, '$1 '))).toEqual([
      expect.stringMatching(/^1 \[reefguide\] runs on this machine/),
      '2 one',
      '3 two',
      '',
    ]);
  });

  it('secrets create reads standard input, and run shows the value nowhere', async () => {
    const create = ['secrets', 'create', 'data', '--key-name', 'DATA'];
    expect((await runProgram(create, { env, cwd: directory, stdin: 'hunter2-e2e' })).code).toBe(0);
    const { code, stdout } = await cli('run', 'echo "<$DATA>"', '--secret', 'data');
    expect([code, stdout]).toEqual([0, expect.stringContaining('<***>')]);
    const list = await cli('executions', 'list', '--json');
    expect(JSON.parse(list.stdout)[0]).toMatchObject({ secrets: ['data'], status: 'SUCCEEDED' });
    const log = await readFile(path.join(directory, 'home', 'logs', 'reefguide.log'), 'utf8');
    expect(stdout + list.stdout + log).not.toContain('hunter2');
  });

  it('playbook run runs a playbook of the examples', async () => {
    const { code, stderr } = await cli('playbook', 'run', path.join(examples, 'playbooks', 'machine.yaml'));
    expect([code, stderr]).toEqual([0, expect.any(String)]);
  });

  it('executions kill, trace and health reconcile act on a running command', async () => {
    const id = (await cli('run', 'sleep 60', '--detach')).stdout.trim();
    expect((await cli('executions', 'kill', id)).code).toBe(0);
    await until(async () => (await ask(`/api/v1/executions/${id}/status`)).status === 'STOPPED');
    const [{ created_by_request_id: requestId }] = await ask('/api/v1/executions?limit=1');
    const trace = await cli('trace', requestId, '--json');
    expect(JSON.parse(trace.stdout).related_resources.executions).toMatchObject([{ execution_id: id }]);
    expect((await cli('health', 'reconcile')).code).toBe(0);
  });
});
