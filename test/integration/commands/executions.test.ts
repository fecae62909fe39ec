import { describe, expect, it } from '@jest/globals';
import { useFakeExecutionsApi } from '../../support/commands/use-fake-executions-api.js';

const { api, answer, run } = useFakeExecutionsApi();

const execution = {
  execution_id: 'a'.repeat(32),
  created_by: 'someone@example.org',
  owned_by: ['someone@example.org'],
  command: 'echo one\necho two',
  image_id: 'ubuntu:24.04',
  status: 'FAILED',
  exit_code: 9,
  started_at: '2026-03-01T04:05:00.000Z',
  completed_at: '2026-03-01T04:06:05.000Z',
  duration_seconds: 65,
};

describe('executions list', () => {
  it('prints a line for each execution and sends the filters', async () => {
    answer('GET /api/v1/executions', [execution]);
    const { stdout } = await run(['executions', 'list', '--status', 'FAILED,STOPPED', '--limit', '0']);
    expect(stdout).toMatch(/^a{32} +FAILED +9 +\d.* ago +1m 5s +someone@example\.org +ubuntu:24\.04 +echo one…$/m);
    expect(api().requests.at(-1)?.query).toBe('?limit=0&status=FAILED%2CSTOPPED');
    const { stdout: json } = await run(['executions', 'list', '--json']);
    expect(JSON.parse(json)).toEqual([execution]);
  });
});

describe('executions status', () => {
  it('prints the status, or that there is no such execution', async () => {
    const { state } = api().begin({});
    const { stdout } = await run(['executions', 'status', state.execution_id]);
    expect(stdout).toMatch(/^Status +RUNNING$/m);
    expect(JSON.parse((await run(['executions', 'status', state.execution_id, '--json'])).stdout)).toEqual(state);
    const missing = await run(['executions', 'status', 'f'.repeat(32)]);
    expect([missing.code, missing.stderr]).toEqual([1, 'Error: Not found\n']);
  });
});

describe('executions logs', () => {
  it('ends with --no-follow while the execution runs, and returns the events with --json', async () => {
    const running = api().begin({ lines: ['a', 'b'] });
    const { code, stdout } = await run(['executions', 'logs', running.state.execution_id, '--no-follow', '--json']);
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      { execution_id: running.state.execution_id, status: 'RUNNING', events: running.events },
    ]);
  });
});

describe('executions kill', () => {
  it('stops a running execution, and leaves an ended execution unchanged', async () => {
    const { state } = api().begin({});
    const first = await run(['executions', 'kill', state.execution_id]);
    const second = await run(['executions', 'kill', state.execution_id, '--json']);
    expect([first.code, first.stdout]).toEqual([0, `Execution ${state.execution_id} is being stopped\n`]);
    expect([second.code, JSON.parse(second.stdout).killed]).toEqual([0, false]);
  });
});
