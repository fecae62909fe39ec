import { describe, expect, it } from '@jest/globals';
import { type Expected, followRollout, rolloutOf, statusLines } from '../../../../src/cli/cluster/rollout.js';
import type { ClusterStatus } from '../../../../src/contract/admin.js';

type Deployment = ClusterStatus['deployments'][number];

const deployment = (changes: Partial<Deployment> = {}): Deployment => ({
  id: 'new',
  status: 'PRIMARY',
  taskDefinition: 'arn:aws:ecs:ap-southeast-2:123456789012:task-definition/api:7',
  desiredCount: 2,
  pendingCount: 0,
  runningCount: 2,
  failedTasks: 0,
  rolloutState: 'COMPLETED',
  rolloutStateReason: null,
  ...changes,
});
const status = (deployments = [deployment()], changes: Partial<ClusterStatus> = {}): ClusterStatus => ({
  runningCount: 2,
  pendingCount: 0,
  desiredCount: 2,
  serviceStatus: 'ACTIVE',
  deployments,
  events: [],
  ...changes,
});
const rolling = [
  deployment({ runningCount: 1, pendingCount: 1, rolloutState: 'IN_PROGRESS' }),
  deployment({ id: 'old', status: 'ACTIVE', runningCount: 1 }),
];
const failed = deployment({ rolloutState: 'FAILED', rolloutStateReason: 'tasks failed to start.' });

describe('a rollout', () => {
  const states: [string, string, ClusterStatus, Expected?][] = [
    ['stable', 'one deployment with all tasks', status()],
    ['stable', 'a deployment of a type that has no state', status([deployment({ rolloutState: null })])],
    [
      'stable',
      'none wanted and none running',
      status([deployment({ desiredCount: 0, runningCount: 0 })], { desiredCount: 0, runningCount: 0 }),
    ],
    ['stable', 'the deployment that was asked for', status(), { deploymentId: 'new', desiredCount: 2 }],
    ['in progress', 'two deployments', status(rolling)],
    ['in progress', 'a task that waits', status([deployment({ pendingCount: 1 })])],
    ['in progress', 'a task too few', status([deployment({ runningCount: 1 })], { runningCount: 1 })],
    ['in progress', 'a task too many', status([deployment()], { runningCount: 3 })],
    ['in progress', 'a state in progress', status([deployment({ rolloutState: 'IN_PROGRESS' })])],
    ['in progress', 'no deployment at all', status([])],
    ['in progress', 'the deployment not seen yet', status([deployment({ id: 'old' })]), { deploymentId: 'new' }],
    ['in progress', 'the count not seen yet', status(), { desiredCount: 5 }],
    ['failed', 'the deployment failed', status([failed])],
    [
      'failed',
      'the deployment failed beside what it falls back to',
      status([deployment({ id: 'back' }), { ...failed, status: 'ACTIVE' }]),
      { deploymentId: 'new' },
    ],
    [
      'in progress',
      'one before the deployment failed',
      status([rolling[0] ?? failed, { ...failed, id: 'old' }]),
      { deploymentId: 'new' },
    ],
  ];
  it.each(states)('is %s: %s', (...[state, , seen, expected]) => {
    expect(rolloutOf(seen, expected)).toBe(state);
  });

  it('is told by one line a deployment', () => {
    expect(
      statusLines(status([failed, deployment({ id: 'old', status: 'ACTIVE', rolloutState: null, failedTasks: 3 })])),
    ).toEqual([
      'PRIMARY api:7: 2 of 2 running, 0 pending, 0 failed, FAILED: tasks failed to start.',
      'ACTIVE api:7: 2 of 2 running, 0 pending, 3 failed',
    ]);
  });
});

describe('following', () => {
  /** Shows one status after the other, the last for ever, by a clock that only sleeping moves. */
  function follow(shown: ClusterStatus[], expected?: Expected) {
    const told: string[] = [];
    const clock = { ms: 0, asked: 0 };
    const ended = followRollout(
      {
        async status() {
          const seen = shown[Math.min(clock.asked, shown.length - 1)];
          clock.asked += 1;
          if (!seen) throw new Error('nothing to show');
          return seen;
        },
      },
      {
        ...(expected ? { expected } : {}),
        everyMs: 3_000,
        withinMs: 60_000,
        tell: (line) => told.push(line),
        now: () => clock.ms,
        async sleep(ms) {
          clock.ms += ms;
        },
      },
    );
    return { ended, told, clock };
  }
  const event = (n: number) => ({ createdAt: `2026-01-01T00:00:0${n}.000Z`, message: `event ${n}` });

  it('ends with the status that is stable', async () => {
    const { ended, clock } = follow([status(rolling), status(rolling), status()]);
    expect(await ended).toEqual(status());
    expect(clock).toEqual({ ms: 6_000, asked: 3 });
  });

  it('is not taken in by the state before the change, which ECS shows at first', async () => {
    const old = status([deployment({ id: 'old' })]);
    const { ended, clock } = follow([old, old, status(rolling), status()], { deploymentId: 'new' });
    expect(await ended).toEqual(status());
    expect(clock.asked).toBe(4);
  });

  it('ends with an error that says why the rollout failed', async () => {
    const { ended } = follow([status(rolling), status([failed])]);
    await expect(ended).rejects.toMatchObject({
      message: 'The rollout failed: tasks failed to start.',
      hint: expect.stringContaining('events'),
    });
  });

  it('gives the reason of the deployment that was asked for, not of another', async () => {
    const other = { ...failed, id: 'other', rolloutStateReason: 'of another' };
    await expect(follow([status([other, failed])], { deploymentId: 'new' }).ended).rejects.toThrow(
      'The rollout failed: tasks failed to start.',
    );
  });

  it('ends with an error when a later deployment has replaced the one that was asked for', async () => {
    const { ended, clock } = follow([status(rolling), status([deployment({ id: 'later' })])], { deploymentId: 'new' });
    await expect(ended).rejects.toThrow('Another deployment has replaced this one');
    expect(clock.asked).toBe(2);
  });

  it('gives up after its time, and says how to go on', async () => {
    const { ended, clock } = follow([status(rolling)]);
    await expect(ended).rejects.toMatchObject({
      message: 'The rollout is not stable yet',
      hint: expect.stringContaining('--watch'),
    });
    expect(clock).toEqual({ ms: 60_000, asked: 21 });
  });

  it('tells each new event once, the oldest first, and none of before', async () => {
    const { ended, told } = follow([
      status(rolling, { events: [event(1)] }),
      status(rolling, { events: [event(3), event(2), event(1)] }),
      status(rolling, { events: [event(4), event(3), event(2)] }),
      status([deployment()], { events: [event(4), event(3)] }),
    ]);
    await ended;
    expect(told.filter((line) => line.includes('event'))).toEqual(['  event 2', '  event 3', '  event 4']);
  });

  it('tells the deployments when they change', async () => {
    const { ended, told } = follow([status(rolling), status(rolling), status()]);
    await ended;
    expect(told).toEqual([...statusLines(status(rolling)), ...statusLines(status())]);
  });
});
