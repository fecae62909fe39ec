import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { decodeEvent } from '../../../src/events/decode.js';

const taskArn = 'arn:aws:ecs:eu-west-1:123456789012:task/cluster/0f3c';
const task = { arn: taskArn, id: '0f3c', startedBy: undefined };
const taskChange = (detail: object) => ({ 'detail-type': 'ECS Task State Change', detail: { taskArn, ...detail } });
const pack = (content: unknown) => ({ awslogs: { data: gzipSync(JSON.stringify(content)).toString('base64') } });
const socket = (routeKey: string, rest: object = {}) => ({
  requestContext: { routeKey, connectionId: 'c=1', domainName: 'abc.example.org', stage: 'production' },
  ...rest,
});
const line = { id: '37', timestamp: 1_760_000_000_000, message: 'one' };

describe('decodeEvent', () => {
  it.each<[string, unknown, unknown]>([
    ['a running task', taskChange({ lastStatus: 'RUNNING' }), { kind: 'task_running', task }],
    ['a pending task', taskChange({ lastStatus: 'PENDING' }), { kind: 'task_changed', task, lastStatus: 'PENDING' }],
    ['a schedule', { 'detail-type': 'Scheduled Event' }, { kind: 'schedule' }],
    [
      'log lines',
      pack({ messageType: 'DATA_MESSAGE', logStream: 'execution/main/0f3c', logEvents: [line] }),
      { kind: 'lines', taskId: '0f3c', lines: [line] },
    ],
    ['the test of a log subscription', pack({ messageType: 'CONTROL_MESSAGE' }), { kind: 'log_subscription_test' }],
    [
      'an opened WebSocket',
      socket('$connect', { queryStringParameters: { token: 'log_x', last_event_id: '7' } }),
      {
        kind: 'socket_opened',
        connectionId: 'c=1',
        endpoint: 'https://abc.example.org/production',
        token: 'log_x',
        after: '7',
      },
    ],
    ['a WebSocket message', socket('$default'), { kind: 'socket_message', connectionId: 'c=1' }],
    ['a closed WebSocket', socket('$disconnect'), { kind: 'socket_closed', connectionId: 'c=1' }],
  ])('reads %s', (_, raw, event) => {
    expect(decodeEvent(raw)).toEqual(event);
  });

  it.each<[string, object, number | undefined, string]>([
    [
      'the exit code of main',
      {
        stoppedReason: 'Essential container in task exited',
        containers: [{ name: 'git' }, { name: 'main', exitCode: 3 }],
      },
      3,
      'Essential container in task exited',
    ],
    [
      'the exit code of a failed container when main never ran',
      { stoppedReason: 'exited', containers: [{ name: 'git', exitCode: 128 }, { name: 'main' }] },
      128,
      'exited',
    ],
    ['the exit code of a lone container', { containers: [{ exitCode: 0 }] }, 0, 'no reason given'],
    [
      'no exit code, and the reason of the container',
      { stoppedReason: 'Task failed to start', containers: [{ name: 'main', reason: 'CannotPullContainerError' }] },
      undefined,
      'Task failed to start (CannotPullContainerError)',
    ],
    ['the stop code in place of a reason', { stopCode: 'UserInitiated' }, undefined, 'UserInitiated'],
  ])('reads a stopped task with %s', (_, detail, exitCode, reason) => {
    const event = decodeEvent(taskChange({ lastStatus: 'STOPPED', ...detail }));
    expect(event).toEqual({ kind: 'task_stopped', task, exitCode, reason });
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a text', 'STOPPED'],
    ['another object', { unknown: true }],
    ['a task change without an ARN', { 'detail-type': 'ECS Task State Change', detail: { lastStatus: 'RUNNING' } }],
    ['log data that are not gzip', { awslogs: { data: 'AAAA' } }],
    ['a WebSocket event with a malformed domain', socket('$connect', { requestContext: { domainName: 'a/b' } })],
  ])('returns undefined for %s', (_, raw) => {
    expect(decodeEvent(raw)).toBeUndefined();
  });
});
