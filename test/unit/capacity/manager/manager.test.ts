import { describe, expect, it } from '@jest/globals';
import { describeDecision, toDryRunCompute } from '../../../../src/capacity/manager/dry-run.js';
import type { ManagerStatus } from '../../../../src/capacity/manager/manager.js';
import type { WorkerGroup } from '../../../../src/capacity/manager/workers-file.js';
import type { Compute, LaunchRequest, LaunchResult, Task } from '../../../../src/compute/provider.js';
import { apiInMemory, group, refusal, task } from './support.js';

/** A manager with a provider and an API in memory. `listed`: whether launches show up in the provider's list. */
function system(groups: WorkerGroup[], { listed = true } = {}) {
  const inMemory = apiInMemory(groups);
  const tasks: Task[] = [];
  const launches: LaunchRequest[] = [];
  const lists: number[] = [];
  const provider: { answer?: ((request: LaunchRequest) => LaunchResult) | undefined } = {};
  let made = 0;
  const compute: Compute = {
    provider: 'local',
    listsAtOnce: false,
    async list(names) {
      lists.push(inMemory.clock.ms);
      return tasks.filter((one) => names.includes(one.group));
    },
    async launch(request) {
      launches.push(request);
      const start = () => task(`task-${made++}`, request.group);
      const result = provider.answer?.(request) ?? {
        started: Array.from({ length: request.count }, start),
        failures: [],
      };
      if (listed) tasks.push(...result.started);
      return result;
    },
    close: async () => {},
  };
  const launched = (name?: string) =>
    launches.filter((one) => name === undefined || one.group === name).map(({ count }) => count);
  const { make } = inMemory;
  return {
    ...inMemory,
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

describe('a turn', () => {
  it('launches the difference between what is desired and what exists', async () => {
    const { manager, demand, tasks, launched } = system([group('a')]);
    demand.A = { pending: 4, inProgress: 1 };
    tasks.push(task('by hand'));
    await manager.turn();
    expect(launched()).toEqual([4]);
  });

  it('launches nothing when enough exist, and ends none when too many do', async () => {
    const { manager, tasks, launched } = system([group('a')]);
    tasks.push(task('1'), task('2'));
    await manager.turn();
    expect(launched()).toEqual([]);
    expect(tasks).toHaveLength(2);
  });

  it('launches at most ten at once, each with a token of its own', async () => {
    const { manager, demand, launched, launches } = system([group('a')]);
    demand.A = { pending: 25, inProgress: 0 };
    await manager.turn();
    expect(launched()).toEqual([10, 10, 5]);
    expect(new Set(launches.map(({ clientToken }) => clientToken)).size).toBe(3);
  });

  it('counts the demand of all types of a group, and of no other', async () => {
    const { manager, demand, launched } = system([group('a', {}, ['X', 'Y'])]);
    demand.X = { pending: 1, inProgress: 0 };
    demand.Y = { pending: 2, inProgress: 0 };
    demand.Z = { pending: 9, inProgress: 0 };
    await manager.turn();
    expect(launched()).toEqual([3]);
  });

  it('keeps the minimum without any demand', async () => {
    const { manager, launched } = system([group('a', { min: 2 })]);
    await manager.turn();
    expect(launched()).toEqual([2]);
  });
});

describe('capacity is never doubled', () => {
  it('while the provider does not list what was launched', async () => {
    const { manager, demand, launched, clock } = system([group('a')], { listed: false });
    demand.A = { pending: 3, inProgress: 0 };
    for (let n = 0; n < 10; n += 1) {
      await manager.turn();
      clock.ms += 5_000;
    }
    expect(launched()).toEqual([3]);
  });

  it('but what was not listed for a minute is launched again', async () => {
    const { manager, demand, launched, clock } = system([group('a')], { listed: false });
    demand.A = { pending: 3, inProgress: 0 };
    await manager.turn();
    clock.ms += 60_001;
    await manager.turn();
    expect(launched()).toEqual([3, 3]);
  });

  it('by a manager that starts anew', async () => {
    const { manager, make, demand, launched } = system([group('a')]);
    demand.A = { pending: 3, inProgress: 0 };
    await manager.turn();
    await make().turn();
    expect(launched()).toEqual([3]);
  });

  it('while a cooldown lasts', async () => {
    const { manager, demand, launched, clock } = system([group('a', { cooldownSeconds: 60 })]);
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

describe('a group whose launches fail', () => {
  const throttled = () => {
    throw new Error('throttled');
  };

  it('backs off while the others go on', async () => {
    const { manager, demand, launched, provider, clock } = system([group('a'), group('b')]);
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

  it('does not try the rest of its batches', async () => {
    const { manager, demand, launched, provider } = system([group('a')]);
    provider.answer = throttled;
    demand.A = { pending: 30, inProgress: 0 };
    await manager.turn();
    expect(launched()).toEqual([10]);
  });

  it('says so in its report and once in the log, until it works again', async () => {
    const { manager, demand, provider, reports, lines, clock } = system([group('a')]);
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

  it('in part counts what was started, and is logged once, however often it happens', async () => {
    const { manager, demand, provider, lines, clock } = system([group('a')]);
    provider.answer = () => ({
      started: [task(`${clock.ms}`)],
      failures: [{ reason: 'RESOURCE:MEMORY', detail: 'subnet full' }],
    });
    demand.A = { pending: 40, inProgress: 0 };
    const held: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      await manager.turn();
      held.push(manager.status().groups[0]?.running ?? 0);
      clock.ms += 300_000;
    }
    expect(held).toEqual([1, 2, 3, 4]);
    expect(manager.status().groups[0]?.lastError).toBe('RESOURCE:MEMORY: subnet full');
    expect(lines.filter(({ level }) => level === 40)).toHaveLength(1);
    expect(lines.map(({ msg }) => msg)).not.toContain('launching works again');
  });
});

describe('a manager that does not hold the lease', () => {
  it('stands by: it launches and reports nothing, and says so once', async () => {
    const { manager, demand, server, launched, reports, lines } = system([group('a')]);
    server.lease = refusal(409, { holder: 'another' });
    demand.A = { pending: 1, inProgress: 0 };
    for (let n = 0; n < 3; n += 1) await manager.turn();
    expect(launched()).toEqual([]);
    expect(reports).toEqual([]);
    expect(manager.status().active).toBe(false);
    expect(lines).toHaveLength(1);
  });

  it('takes over when it gets it', async () => {
    const { manager, demand, server, launched } = system([group('a')]);
    server.lease = refusal(409, { holder: 'another' });
    demand.A = { pending: 1, inProgress: 0 };
    await manager.turn();
    server.lease = undefined;
    await manager.turn();
    expect(manager.status().active).toBe(true);
    expect(launched()).toEqual([1]);
  });
});

describe('reports', () => {
  it('are sent when something changed, and every ten seconds', async () => {
    const { manager, demand, reports, clock } = system([group('a')]);
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

  it('that an older server does not take are no error', async () => {
    const { manager, server } = system([group('a')]);
    server.report = refusal(404);
    await manager.turn();
    expect(manager.status().lastError).toBeNull();
  });
});

describe('a dry run', () => {
  it('decides, and launches nothing', async () => {
    const { launched, compute } = system([group('a')]);
    const { make, demand } = apiInMemory([group('a')]);
    demand.A = { pending: 12, inProgress: 1 };
    const lines: string[] = [];
    const onTurn = ({ groups }: ManagerStatus) => lines.push(...groups.map((one) => describeDecision(one, true)));
    await make(toDryRunCompute(compute), { onTurn }).turn();
    expect(lines).toEqual(['a: 12 jobs wait, 1 runs; 0 workers exist, 13 desired: would launch 13']);
    expect(launched()).toEqual([]);
  });
});

describe('a launch whose answer was lost', () => {
  const lost = () => {
    throw new Error('timed out');
  };

  it('is asked for again with the same token and count', async () => {
    const { manager, demand, launches, provider, clock } = system([group('a')]);
    demand.A = { pending: 14, inProgress: 0 };
    provider.answer = lost;
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

  it('is not asked for again when it turns out to have happened', async () => {
    const { manager, demand, launched, tasks, provider, clock } = system([group('a')]);
    demand.A = { pending: 3, inProgress: 0 };
    provider.answer = lost;
    await manager.turn();
    tasks.push(task('1'), task('2'), task('3'));
    provider.answer = undefined;
    clock.ms += 2_000;
    await manager.turn();
    expect(launched()).toEqual([3]);
  });

  it('holds back a smaller one: it may have happened', async () => {
    const { manager, demand, launched, provider, clock } = system([group('a')]);
    demand.A = { pending: 5, inProgress: 0 };
    provider.answer = lost;
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

  it('is forgotten after a minute, when what it started would be listed', async () => {
    const { manager, demand, launches, provider, clock } = system([group('a')]);
    demand.A = { pending: 3, inProgress: 0 };
    provider.answer = lost;
    await manager.turn();
    provider.answer = undefined;
    clock.ms += 60_001;
    await manager.turn();
    expect(launches.map(({ clientToken }) => clientToken)).toEqual(['token-0', 'token-1']);
  });
});

describe('the list of tasks', () => {
  it('is asked for at most once a second while nobody is missing', async () => {
    const { manager, demand, lists, clock } = system([group('a', { max: 2 })]);
    for (let n = 0; n < 50; n += 1) {
      demand.A = { pending: 5 + n, inProgress: 0 };
      await manager.turn();
      clock.ms += 200;
    }
    expect(lists.length).toBeLessThanOrEqual(11);
  });

  it('is fresh before anything is launched', async () => {
    const { manager, demand, lists, clock, tasks, launched } = system([group('a')]);
    await manager.turn();
    tasks.push(task('by hand'));
    clock.ms += 100;
    demand.A = { pending: 1, inProgress: 0 };
    await manager.turn();
    expect(lists).toHaveLength(2);
    expect(launched()).toEqual([]);
  });
});

describe('a lease that is lost in mid-turn', () => {
  it('ends the launches', async () => {
    const { manager, demand, provider, server, clock, launched } = system([group('a')]);
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

describe('a job type that no group serves', () => {
  it('is skipped with one warning', async () => {
    const { manager, demand, lines, launched } = system([group('a')]);
    demand.NEW_TYPE = { pending: 5, inProgress: 0 };
    await manager.turn();
    await manager.turn();
    expect(launched()).toEqual([]);
    expect(lines).toMatchObject([{ level: 40, jobType: 'NEW_TYPE' }]);
  });
});
