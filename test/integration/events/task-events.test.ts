import { describe, expect, it } from '@jest/globals';
import { SetupError } from '../../../src/contract/errors.js';
import { readLines, readStatus, sendTaskChange, startExecution, toExitDetail, useEventFixture } from './fixture.js';

const fixture = useEventFixture();

describe('task events', () => {
  it('belong to a task launched with the definition, variables and timeout of the execution', async () => {
    await startExecution(fixture, {
      env: { A: 'b' },
      timeout: 60,
      git_repo: 'https://user:hunter2@example.org/x.git',
      git_path: 'a',
    });
    expect(fixture.runner.started.at(-1)).toMatchObject({
      command: 'sleep 1',
      env: { A: 'b' },
      timeoutSeconds: 60,
      taskDefinition: expect.stringContaining('task-definition/ubuntu-24-04:1'),
      git: { repo: 'https://example.org/x.git', token: 'hunter2', path: 'a' },
    });
    const { body } = await fixture.operator.get('/api/v1/executions?limit=1');
    expect(JSON.stringify(body)).not.toContain('hunter2');
    expect(body[0].git_repo).toBe('https://example.org/x.git');
  });

  it('make the execution run and end', async () => {
    const { id, taskArn } = await startExecution(fixture);
    expect((await sendTaskChange(fixture, taskArn, 'RUNNING')).body).toMatchObject({ applied: true, executions: [id] });
    expect((await readStatus(fixture, id)).status).toBe('RUNNING');
    expect((await sendTaskChange(fixture, taskArn, 'STOPPED', toExitDetail(0))).body).toMatchObject({
      applied: true,
      executions: [id],
    });
    expect(await readStatus(fixture, id)).toMatchObject({ status: 'SUCCEEDED', exit_code: 0 });
  });

  it.each([
    ['exits with a code', toExitDetail(3), 'FAILED', 3, undefined],
    ['was stopped after its timeout', toExitDetail(124), 'FAILED', 124, undefined],
    [
      'has no checkout',
      {
        stoppedReason: 'Essential container in task exited',
        containers: [{ name: 'git', exitCode: 128 }, { name: 'main' }],
      },
      'FAILED',
      128,
      undefined,
    ],
    [
      'never started',
      { stoppedReason: 'Task failed to start', containers: [{ name: 'main', reason: 'CannotPullContainerError: x' }] },
      'FAILED',
      null,
      '[reefguide] the task stopped: Task failed to start (CannotPullContainerError: x)',
    ],
  ])('end the execution when the task %s', async (_, detail, status, exit_code, note) => {
    const { id, taskArn } = await startExecution(fixture);
    await sendTaskChange(fixture, taskArn, 'STOPPED', detail);
    expect(await readStatus(fixture, id)).toMatchObject({ status, exit_code });
    expect(await readLines(fixture, id)).toEqual(note === undefined ? [] : [note]);
  });

  it('change nothing when they come again, late or out of order', async () => {
    const { id, taskArn } = await startExecution(fixture);
    await sendTaskChange(fixture, taskArn, 'STOPPED', toExitDetail(5));
    const before = (await fixture.operator.get('/api/v1/executions?limit=1')).body;
    for (const [status, detail] of [
      ['STOPPED', toExitDetail(5)],
      ['RUNNING', {}],
      ['STOPPED', toExitDetail(0)],
      ['PENDING', {}],
    ] as const)
      expect(await sendTaskChange(fixture, taskArn, status, detail)).toMatchObject({
        status: 200,
        body: { applied: false },
      });
    expect((await fixture.operator.get('/api/v1/executions?limit=1')).body).toEqual(before);
    expect((await readStatus(fixture, id)).exit_code).toBe(5);
  });

  it('find the execution by startedBy, and record the ARN, when the ARN is missing', async () => {
    const { id } = await startExecution(fixture);
    const { pool } = fixture.system.database;
    await pool.query('UPDATE "Execution" SET task_arn = NULL WHERE execution_id = $1', [id]);
    await sendTaskChange(fixture, 'arn:aws:ecs:x:1:task/c/0123', 'RUNNING', { startedBy: id });
    expect((await readStatus(fixture, id)).status).toBe('RUNNING');
    const { rows } = await pool.query('SELECT task_arn FROM "Execution" WHERE execution_id = $1', [id]);
    expect(rows).toEqual([{ task_arn: 'arn:aws:ecs:x:1:task/c/0123' }]);
  });

  it('stop a running task whose launch counted as failed', async () => {
    const { start } = fixture.runner;
    let taskArn = '';
    fixture.runner.start = async (request) => {
      taskArn = (await start(request)).taskArn;
      throw new SetupError('ecs:RunTask: the connection was lost');
    };
    const answer = await fixture.operator.post('/api/v1/run', { command: 'sleep 1000' });
    fixture.runner.start = start;
    expect(answer.status).toBe(503);
    const [{ execution_id: startedBy, status }] = (await fixture.operator.get('/api/v1/executions?limit=1')).body;
    expect(status).toBe('FAILED');
    await sendTaskChange(fixture, taskArn, 'RUNNING', { startedBy });
    expect(fixture.runner.stopped).toContain(taskArn);
    expect((await readStatus(fixture, startedBy)).status).toBe('FAILED');
  });

  it('end a killed execution as STOPPED', async () => {
    const { id, taskArn } = await startExecution(fixture);
    await sendTaskChange(fixture, taskArn, 'RUNNING');
    expect((await fixture.operator.delete(`/api/v1/executions/${id}`)).status).toBe(200);
    expect(fixture.runner.stopped).toContain(taskArn);
    expect((await readStatus(fixture, id)).status).toBe('TERMINATING');
    expect((await fixture.operator.delete(`/api/v1/executions/${id}`)).status).toBe(200);
    await sendTaskChange(fixture, taskArn, 'STOPPED', toExitDetail(143));
    expect(await readStatus(fixture, id)).toMatchObject({ status: 'STOPPED', exit_code: 130 });
    expect((await fixture.operator.delete(`/api/v1/executions/${id}`)).status).toBe(204);
  });
});
