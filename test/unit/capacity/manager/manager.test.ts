import { describe, expect, it } from '@jest/globals';
import { describeDecision, toDryRunCompute } from '../../../../src/capacity/manager/dry-run.js';
import type { ManagerStatus } from '../../../../src/capacity/manager/manager.js';
import type { WorkerGroup } from '../../../../src/capacity/manager/workers-file.js';
import type { Compute, LaunchRequest, LaunchResult, Task } from '../../../../src/compute/provider.js';
import { group, makeApi, refusal, task } from './support.js';

/** Returns a manager with a provider and an API in memory. `isListed` false: the provider never lists launched tasks. */
function makeSystem(groups: WorkerGroup[], { isListed = true } = {}) {
  const fixture = makeApi(groups);
  const tasks: Task[] = [];
  const launches: LaunchRequest[] = [];
  const lists: number[] = [];
  const provider: { answer?: ((request: LaunchRequest) => LaunchResult) | undefined } = {};
  let startedCount = 0;
  const compute: Compute = {
    provider: 'local',
    listsAtOnce: false,
    async list(names) {
      lists.push(fixture.clock.ms);
      return tasks.filter(({ group: name }) => names.includes(name));
    },
    async launch(request) {
      launches.push(request);
      const start = () => task(`task-${startedCount++}`, request.group);
      const result = provider.answer?.(request) ?? {
        started: Array.from({ length: request.count }, start),
        failures: [],
      };
      if (isListed) tasks.push(...result.started);
      return result;
    },
    close: async () => {},
  };
  const launched = (name?: string) =>
    launches.filter((launch) => name === undefined || launch.group === name).map(({ count }) => count);
  const { make } = fixture;
  return {
    ...fixture,
    tasks,
    launches,
    launched,
    lists,
    provider,
    compute,
    make: () => make(compute),
    manager: make(compute),
  };
}

describe('CapacityManager.turn', () => {
  it('launches the difference between desired and existing workers', async () => {
    const { manager, demand, tasks, launched } = makeSystem([group('a')]);
    demand.A = { pending: 4, inProgress: 1 };
    tasks.push(task('by hand'));
    await manager.turn();
    expect(launched()).toEqual([4]);
  });

  it('launches nothing when enough workers exist, and ends none when too many do', async () => {
    const { manager, tasks, launched } = makeSystem([group('a')]);
    tasks.push(task('1'), task('2'));
    await manager.turn();
    expect(launched()).toEqual([]);
    expect(tasks).toHaveLength(2);
  });

  it('launches at most ten workers at once, each time with a new token', async () => {
    const { manager, demand, launched, launches } = makeSystem([group('a')]);
    demand.A = { pending: 25, inProgress: 0 };
    await manager.turn();
    expect(launched()).toEqual([10, 10, 5]);
    expect(new Set(launches.map(({ clientToken }) => clientToken)).size).toBe(3);
  });

  it('adds up the demand of all types of a group, and of no other type', async () => {
    const { manager, demand, launched } = makeSystem([group('a', {}, ['X', 'Y'])]);
    demand.X = { pending: 1, inProgress: 0 };
    demand.Y = { pending: 2, inProgress: 0 };
    demand.Z = { pending: 9, inProgress: 0 };
    await manager.turn();
    expect(launched()).toEqual([3]);
  });

  it('launches the minimum without any demand', async () => {
    const { manager, launched } = makeSystem([group('a', { min: 2 })]);
    await manager.turn();
    expect(launched()).toEqual([2]);
  });
});

describe('CapacityManager with earlier launches', () => {
  it('launches nothing twice while the provider does not list the launched tasks', async () => {
    const { manager, demand, launched, clock } = makeSystem([group('a')], { isListed: false });
    demand.A = { pending: 3, inProgress: 0 };
    for (let n = 0; n < 10; n += 1) {
      await manager.turn();
      clock.ms += 5_000;
    }
    expect(launched()).toEqual([3]);
  });

  it('launches again when tasks were not listed for a minute', async () => {
    const { manager, demand, launched, clock } = makeSystem([group('a')], { isListed: false });
    demand.A = { pending: 3, inProgress: 0 };
    await manager.turn();
    clock.ms += 60_001;
    await manager.turn();
    expect(launched()).toEqual([3, 3]);
  });

  it('launches nothing twice after a restart', async () => {
    const { manager, make, demand, launched } = makeSystem([group('a')]);
    demand.A = { pending: 3, inProgress: 0 };
    await manager.turn();
    await make().turn();
    expect(launched()).toEqual([3]);
  });

  it('launches nothing until a cooldown is over', async () => {
    const { manager, demand, launched, clock } = makeSystem([group('a', { cooldownSeconds: 60 })]);
    demand.A = { pending: 1, inProgress: 0 };
    await manager.turn();
    demand.A = { pending: 5, inProgress: 1 };
    clock.ms += 59_000;
    await manager.turn();
    expect(launched()).toEqual([1]);
    clock.ms += 1_000;
    await manager.turn();
    expect(launched()).toEqual([1, 5]);
  });
});

describe('CapacityManager with a group whose launches fail', () => {
  const throttled = () => {
    throw new Error('throttled');
  };

  it('backs off in this group while other groups go on', async () => {
    const { manager, demand, launched, provider, clock } = makeSystem([group('a'), group('b')]);
    provider.answer = (request) =>
      request.group === 'a' ? throttled() : { started: [task(`${clock.ms}`, 'b')], failures: [] };
    demand.A = { pending: 1, inProgress: 0 };
    demand.B = { pending: 50, inProgress: 0 };
    for (let n = 0; n < 60; n += 1) {
      await manager.turn();
      clock.ms += 1_000;
    }
    expect(launched('a')).toHaveLength(6);
    expect(launched('b').length).toBeGreaterThan(49);
  });

  it('does not try the remaining batches', async () => {
    const { manager, demand, launched, provider } = makeSystem([group('a')]);
    provider.answer = throttled;
    demand.A = { pending: 30, inProgress: 0 };
    await manager.turn();
    expect(launched()).toEqual([10]);
  });

  it('reports the error and logs the error once, until a launch works again', async () => {
    const { manager, demand, provider, reports, lines, clock } = makeSystem([group('a')]);
    provider.answer = throttled;
    demand.A = { pending: 1, inProgress: 0 };
    for (let n = 0; n < 30; n += 1) {
      await manager.turn();
      clock.ms += 1_000;
    }
    expect(reports.at(-1)?.groups[0]?.lastError).toBe('throttled');
    expect(lines.filter(({ level }) => level === 40)).toHaveLength(1);
    provider.answer = undefined;
    clock.ms += 300_000;
    await manager.turn();
    expect(manager.status().groups[0]?.lastError).toBeNull();
    expect(lines.map(({ msg }) => msg)).toContain('launching works again');
  });

  it('counts the tasks that were started, and logs repeated failures once', async () => {
    const { manager, demand, provider, lines, clock } = makeSystem([group('a')]);
    provider.answer = () => ({
      started: [task(`${clock.ms}`)],
      failures: [{ reason: 'RESOURCE:MEMORY', detail: 'subnet full' }],
    });
    demand.A = { pending: 40, inProgress: 0 };
    const running: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      await manager.turn();
      running.push(manager.status().groups[0]?.running ?? 0);
      clock.ms += 300_000;
    }
    expect(running).toEqual([1, 2, 3, 4]);
    expect(manager.status().groups[0]?.lastError).toBe('RESOURCE:MEMORY: subnet full');
    expect(lines.filter(({ level }) => level === 40)).toHaveLength(1);
    expect(lines.map(({ msg }) => msg)).not.toContain('launching works again');
  });
});

describe('CapacityManager without the lease', () => {
  it('launches and reports nothing, and logs that once', async () => {
    const { manager, demand, server, launched, reports, lines } = makeSystem([group('a')]);
    server.lease = refusal(409, { holder: 'another' });
    demand.A = { pending: 1, inProgress: 0 };
    for (let n = 0; n < 3; n += 1) await manager.turn();
    expect(launched()).toEqual([]);
    expect(reports).toEqual([]);
    expect(manager.status().active).toBe(false);
    expect(lines).toHaveLength(1);
  });

  it('takes over when the lease is free', async () => {
    const { manager, demand, server, launched } = makeSystem([group('a')]);
    server.lease = refusal(409, { holder: 'another' });
    demand.A = { pending: 1, inProgress: 0 };
    await manager.turn();
    server.lease = undefined;
    await manager.turn();
    expect(manager.status().active).toBe(true);
    expect(launched()).toEqual([1]);
  });
});

describe('CapacityManager reports', () => {
  it('sends a report when something changed, and every ten seconds', async () => {
    const { manager, demand, reports, clock } = makeSystem([group('a')]);
    await manager.turn();
    await manager.turn();
    expect(reports).toHaveLength(1);
    demand.A = { pending: 2, inProgress: 0 };
    await manager.turn();
    expect(reports).toHaveLength(2);
    expect(reports[1]?.groups).toMatchObject([{ group: 'a', pending: 2, running: 2, desired: 2 }]);
    clock.ms += 10_000;
    await manager.turn();
    expect(reports).toHaveLength(3);
  });

  it('ignores that a legacy server takes no reports', async () => {
    const { manager, server } = makeSystem([group('a')]);
    server.report = refusal(404);
    await manager.turn();
    expect(manager.status().lastError).toBeNull();
  });
});

describe('CapacityManager in a dry run', () => {
  it('decides and launches nothing', async () => {
    const { launched, compute } = makeSystem([group('a')]);
    const { make, demand } = makeApi([group('a')]);
    demand.A = { pending: 12, inProgress: 1 };
    const lines: string[] = [];
    const onTurn = ({ groups }: ManagerStatus) => lines.push(...groups.map((report) => describeDecision(report, true)));
    await make(toDryRunCompute(compute), { onTurn }).turn();
    expect(lines).toEqual(['a: 12 jobs wait, 1 runs; 0 workers exist, 13 desired: would launch 13']);
    expect(launched()).toEqual([]);
  });
});

describe('CapacityManager after a launch whose answer was lost', () => {
  const loseAnswer = () => {
    throw new Error('timed out');
  };

  it('repeats the launch with the same token and count', async () => {
    const { manager, demand, launches, provider, clock } = makeSystem([group('a')]);
    demand.A = { pending: 14, inProgress: 0 };
    provider.answer = loseAnswer;
    await manager.turn();
    provider.answer = undefined;
    clock.ms += 2_000;
    await manager.turn();
    expect(launches.map(({ count, clientToken }) => [count, clientToken])).toEqual([
      [10, 'token-0'],
      [10, 'token-0'],
      [4, 'token-1'],
    ]);
  });

  it('does not repeat the launch when its tasks are listed', async () => {
    const { manager, demand, launched, tasks, provider, clock } = makeSystem([group('a')]);
    demand.A = { pending: 3, inProgress: 0 };
    provider.answer = loseAnswer;
    await manager.turn();
    tasks.push(task('1'), task('2'), task('3'));
    provider.answer = undefined;
    clock.ms += 2_000;
    await manager.turn();
    expect(launched()).toEqual([3]);
  });

  it('launches nothing while fewer workers are missing than the lost launch requested', async () => {
    const { manager, demand, launched, provider, clock } = makeSystem([group('a')]);
    demand.A = { pending: 5, inProgress: 0 };
    provider.answer = loseAnswer;
    await manager.turn();
    demand.A = { pending: 2, inProgress: 0 };
    provider.answer = undefined;
    clock.ms += 2_000;
    await manager.turn();
    expect(launched()).toEqual([5]);
    clock.ms += 60_000;
    await manager.turn();
    expect(launched()).toEqual([5, 2]);
  });

  it('forgets the launch after a minute, when its tasks would be listed', async () => {
    const { manager, demand, launches, provider, clock } = makeSystem([group('a')]);
    demand.A = { pending: 3, inProgress: 0 };
    provider.answer = loseAnswer;
    await manager.turn();
    provider.answer = undefined;
    clock.ms += 60_001;
    await manager.turn();
    expect(launches.map(({ clientToken }) => clientToken)).toEqual(['token-0', 'token-1']);
  });
});

describe('CapacityManager list of tasks', () => {
  it('reads the list at most once a second while no worker is missing', async () => {
    const { manager, demand, lists, clock } = makeSystem([group('a', { max: 2 })]);
    for (let n = 0; n < 50; n += 1) {
      demand.A = { pending: 5 + n, inProgress: 0 };
      await manager.turn();
      clock.ms += 200;
    }
    expect(lists.length).toBeLessThanOrEqual(11);
  });

  it('reads a fresh list before a launch', async () => {
    const { manager, demand, lists, clock, tasks, launched } = makeSystem([group('a')]);
    await manager.turn();
    tasks.push(task('by hand'));
    clock.ms += 100;
    demand.A = { pending: 1, inProgress: 0 };
    await manager.turn();
    expect(lists).toHaveLength(2);
    expect(launched()).toEqual([]);
  });
});

describe('CapacityManager that loses the lease during a turn', () => {
  it('launches no more workers', async () => {
    const { manager, demand, provider, server, clock, launched } = makeSystem([group('a')]);
    demand.A = { pending: 30, inProgress: 0 };
    provider.answer = ({ count }) => {
      server.lease = refusal(409, { holder: 'another' });
      clock.ms += 31_000;
      return { started: Array.from({ length: count }, (_, n) => task(`${n}`)), failures: [] };
    };
    await manager.turn();
    expect(launched()).toEqual([10]);
  });
});

describe('CapacityManager with a job type that no group serves', () => {
  it('skips the job type with one warning', async () => {
    const { manager, demand, lines, launched } = makeSystem([group('a')]);
    demand.NEW_TYPE = { pending: 5, inProgress: 0 };
    await manager.turn();
    await manager.turn();
    expect(launched()).toEqual([]);
    expect(lines).toMatchObject([{ level: 40, jobType: 'NEW_TYPE' }]);
  });
});
