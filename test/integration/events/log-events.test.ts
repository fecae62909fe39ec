import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { listenTo } from '../../support/sockets.js';
import { until } from '../../support/until.js';
import {
  createLine,
  readLines,
  sendEvent,
  sendTaskChange,
  startExecution,
  toExitDetail,
  toLinesEvent,
  toLogEvent,
  useEventFixture,
} from './fixture.js';

const fixture = useEventFixture();

describe('log events', () => {
  it('store each line once, in order of time, with secrets masked', async () => {
    const { id, taskArn } = await startExecution(fixture, { env: { API_KEY: 'hunter2-key' } });
    const [first, second, third] = [
      createLine('one', 1_000),
      createLine('with hunter2-key', 3_000),
      createLine('in between', 2_000),
    ];
    expect((await sendEvent(fixture, toLinesEvent(taskArn, [first, second]))).body).toMatchObject({
      applied: true,
      stored: 2,
    });
    expect((await sendEvent(fixture, toLinesEvent(taskArn, [first, second]))).body).toMatchObject({
      applied: false,
      stored: 0,
    });
    expect((await sendEvent(fixture, toLinesEvent(taskArn, [second, third]))).body).toMatchObject({
      applied: true,
      stored: 1,
    });
    await sendTaskChange(fixture, taskArn, 'STOPPED', toExitDetail(0));
    expect(await readLines(fixture, id)).toEqual(['one', 'in between', 'with ***']);
  });

  it('are completed from the log of the provider when the task stops', async () => {
    const { id, taskArn } = await startExecution(fixture);
    const [first, last] = [createLine('first'), createLine('last')];
    await sendEvent(fixture, toLinesEvent(taskArn, [first]));
    fixture.runner.logs.set(taskArn, [first, last]);
    await sendTaskChange(fixture, taskArn, 'STOPPED', toExitDetail(0));
    await sendEvent(fixture, toLinesEvent(taskArn, [last]));
    expect(await readLines(fixture, id)).toEqual(['first', 'last']);
  });

  it('are answered 200 for an unknown task', async () => {
    const answer = await sendEvent(fixture, toLinesEvent('task/unknown', [createLine('x')]));
    expect(answer).toEqual({ status: 200, body: { applied: false, jobs: [], executions: [], stored: 0 } });
  });

  it('change nothing when they test the subscription', async () => {
    const control = toLogEvent({ messageType: 'CONTROL_MESSAGE', logEvents: [] });
    expect(await sendEvent(fixture, control)).toMatchObject({ status: 200, body: { applied: false } });
  });

  it.each([
    ['not base64 of gzip', { awslogs: { data: 'AAAA' } }],
    ['not JSON', { awslogs: { data: gzipSync('no JSON').toString('base64') } }],
    ['of another form', toLogEvent({ messageType: 'DATA_MESSAGE', logEvents: 3 })],
    ['too large', { awslogs: { data: gzipSync(Buffer.alloc(80_000_000)).toString('base64') } }],
  ])('are answered 400 when the data are %s', async (_, event) => {
    expect((await sendEvent(fixture, event)).status).toBe(400);
  });

  it('send lines to WebSocket subscribers of this server, late lines too', async () => {
    const { id, taskArn, url } = await startExecution(fixture);
    const token = new URL(url).searchParams.get('token');
    const listener = listenTo(`${fixture.system.url.replace('http', 'ws')}/ws?token=${token}`);
    await sendEvent(fixture, toLinesEvent(taskArn, [createLine('one')]));
    await until(() => listener.lines().length === 1);
    await sendTaskChange(fixture, taskArn, 'STOPPED', toExitDetail(0));
    await sendEvent(fixture, toLinesEvent(taskArn, [createLine('late')]));
    expect((await listener.closed).code).toBe(1000);
    expect(listener.lines()).toEqual(['one', 'late']);
    expect(await readLines(fixture, id)).toEqual(['one', 'late']);
  });
});
