import { describe, expect, it } from '@jest/globals';
import { type ExpectedChange, formatDeployments, getRolloutState } from '../../../../src/cli/cluster/rollout.js';
import type { ClusterStatus } from '../../../../src/contract/admin.js';
import { deployment, failed, rolling, status } from './support.js';

describe('getRolloutState', () => {
  const states: [string, string, ClusterStatus, ExpectedChange?][] = [
    ['stable', 'one deployment with all tasks', status()],
    ['stable', 'a deployment without a state', status([deployment({ rolloutState: null })])],
    [
      'stable',
      'no desired and no running tasks',
      status([deployment({ desiredCount: 0, runningCount: 0 })], { desiredCount: 0, runningCount: 0 }),
    ],
    ['stable', 'the expected deployment', status(), { deploymentId: 'new', desiredCount: 2 }],
    ['in progress', 'two deployments', status(rolling)],
    ['in progress', 'a pending task', status([deployment({ pendingCount: 1 })])],
    ['in progress', 'a task too few', status([deployment({ runningCount: 1 })], { runningCount: 1 })],
    ['in progress', 'a task too many', status([deployment()], { runningCount: 3 })],
    ['in progress', 'a state in progress', status([deployment({ rolloutState: 'IN_PROGRESS' })])],
    ['in progress', 'no deployment at all', status([])],
    [
      'in progress',
      'an expected deployment that ECS does not show yet',
      status([deployment({ id: 'old' })]),
      { deploymentId: 'new' },
    ],
    ['in progress', 'an expected count that ECS does not show yet', status(), { desiredCount: 5 }],
    ['failed', 'a failed deployment', status([failed])],
    [
      'failed',
      'a failed deployment beside its rollback',
      status([deployment({ id: 'back' }), { ...failed, status: 'ACTIVE' }]),
      { deploymentId: 'new' },
    ],
    [
      'in progress',
      'an earlier deployment that failed',
      status([rolling[0] ?? failed, { ...failed, id: 'old' }]),
      { deploymentId: 'new' },
    ],
  ];
  it.each(states)('returns %s for %s', (...[state, , seen, expected]) => {
    expect(getRolloutState(seen, expected)).toBe(state);
  });
});

describe('formatDeployments', () => {
  it('formats one line for each deployment', () => {
    expect(
      formatDeployments(
        status([failed, deployment({ id: 'old', status: 'ACTIVE', rolloutState: null, failedTasks: 3 })]),
      ),
    ).toEqual([
      'PRIMARY api:7: 2 of 2 running, 0 pending, 0 failed, FAILED: tasks failed to start.',
      'ACTIVE api:7: 2 of 2 running, 0 pending, 3 failed',
    ]);
  });
});
