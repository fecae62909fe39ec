import { describe, expect, it } from '@jest/globals';
import { followRollout } from '../../../../src/cli/cluster/follow-rollout.js';
import { type ExpectedChange, formatDeployments } from '../../../../src/cli/cluster/rollout.js';
import type { ClusterStatus } from '../../../../src/contract/admin.js';
import { deployment, failed, rolling, status } from './support.js';

describe('followRollout', () => {
  /** Follows a service that shows each status once and then the last status. Only sleeping moves the clock. */
  function follow(shown: ClusterStatus[], expected?: ExpectedChange) {
    const reported: string[] = [];
    const clock = { ms: 0, polls: 0 };
    const ended = followRollout(
      {
        async status() {
          const seen = shown[Math.min(clock.polls, shown.length - 1)];
          clock.polls += 1;
          if (!seen) throw new Error('nothing to show');
          return seen;
        },
      },
      {
        ...(expected ? { expected } : {}),
        pollIntervalMs: 3_000,
        timeoutMs: 60_000,
        report: (line) => reported.push(line),
        now: () => clock.ms,
        async sleep(ms) {
          clock.ms += ms;
        },
      },
    );
    return { ended, reported, clock };
  }
  const event = (n: number) => ({ createdAt: `2026-01-01T00:00:0${n}.000Z`, message: `event ${n}` });

  it('returns the stable status', async () => {
    const { ended, clock } = follow([status(rolling), status(rolling), status()]);
    expect(await ended).toEqual(status());
    expect(clock).toEqual({ ms: 6_000, polls: 3 });
  });

  it('waits while ECS shows the state before the change', async () => {
    const old = status([deployment({ id: 'old' })]);
    const { ended, clock } = follow([old, old, status(rolling), status()], { deploymentId: 'new' });
    expect(await ended).toEqual(status());
    expect(clock.polls).toBe(4);
  });

  it('throws with the reason when the rollout fails', async () => {
    const { ended } = follow([status(rolling), status([failed])]);
    await expect(ended).rejects.toMatchObject({
      message: 'The rollout failed: tasks failed to start.',
      hint: expect.stringContaining('events'),
    });
  });

  it('throws with the reason of the expected deployment', async () => {
    const other = { ...failed, id: 'other', rolloutStateReason: 'of another' };
    await expect(follow([status([other, failed])], { deploymentId: 'new' }).ended).rejects.toThrow(
      'The rollout failed: tasks failed to start.',
    );
  });

  it('throws when a later deployment replaces the expected deployment', async () => {
    const { ended, clock } = follow([status(rolling), status([deployment({ id: 'later' })])], { deploymentId: 'new' });
    await expect(ended).rejects.toThrow('Another deployment has replaced this deployment');
    expect(clock.polls).toBe(2);
  });

  it('throws after the timeout and says how to continue', async () => {
    const { ended, clock } = follow([status(rolling)]);
    await expect(ended).rejects.toMatchObject({
      message: 'The rollout is not stable yet',
      hint: expect.stringContaining('--watch'),
    });
    expect(clock).toEqual({ ms: 60_000, polls: 21 });
  });

  it('reports each new event once, oldest first, without earlier events', async () => {
    const { ended, reported } = follow([
      status(rolling, { events: [event(1)] }),
      status(rolling, { events: [event(3), event(2), event(1)] }),
      status(rolling, { events: [event(4), event(3), event(2)] }),
      status([deployment()], { events: [event(4), event(3)] }),
    ]);
    await ended;
    expect(reported.filter((line) => line.includes('event'))).toEqual(['  event 2', '  event 3', '  event 4']);
  });

  it('reports the deployments when they change', async () => {
    const { ended, reported } = follow([status(rolling), status(rolling), status()]);
    await ended;
    expect(reported).toEqual([...formatDeployments(status(rolling)), ...formatDeployments(status())]);
  });
});
