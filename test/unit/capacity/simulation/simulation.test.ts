import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CapacityManager } from '../../../../src/capacity/manager/manager.js';
import type { Fault } from '../../../../src/capacity/simulation/faults.js';
import { Simulation, type SimulationOptions } from '../../../../src/capacity/simulation/simulation.js';
import { collectLog, group } from '../manager/support.js';

const hour = 3_600_000;

function simulate(options: SimulationOptions) {
  const simulation = new Simulation(options);
  const { log, lines } = collectLog();
  const manager = new CapacityManager({
    ...simulation.managerOptions(),
    holder: 'me',
    pollIntervalMs: 3000,
    log,
    random: () => 0.5,
  });
  return { simulation, manager, lines };
}

const jobs = (count: number, everyMs: number, runMs = 60_000, type = 'A') =>
  Array.from({ length: count }, (_, n) => ({ type, atMs: n * everyMs, runMs }));

describe('CapacityManager in a simulated hour', () => {
  it('launches within a second of a job without a cooldown', async () => {
    const launchedAt: number[] = [];
    const { simulation, manager } = simulate({
      groups: [group('a')],
      jobs: jobs(20, 160_000, 1_000),
      idleMs: 1_000,
      fault: (call, now) => {
        if (call === 'launch') launchedAt.push(now);
        return undefined;
      },
    });
    await simulation.run(manager, hour);
    expect(simulation.unfinishedCount).toBe(0);
    expect(launchedAt).toHaveLength(20);
    launchedAt.forEach((at, n) => {
      expect(at - n * 160_000).toBeLessThan(1_000);
    });
  });

  it('makes few calls while the API is away, and finishes every job afterwards', async () => {
    const calls = { away: 0 };
    const { simulation, manager, lines } = simulate({
      groups: [group('a', { max: 5 })],
      jobs: jobs(30, 60_000),
      fault: (call, now) => {
        if (call !== 'api' || now < 60_000 || now > hour + 60_000) return undefined;
        calls.away += 1;
        return 'fails';
      },
    });
    await simulation.run(manager, 2 * hour);
    expect(simulation.unfinishedCount).toBe(0);
    expect(calls.away).toBeLessThan(200);
    expect(lines.filter(({ level }) => level === 40)).toHaveLength(1);
  });

  it('backs off to minutes between calls while launches are throttled, and goes on afterwards', async () => {
    const calls: number[] = [];
    const { simulation, manager } = simulate({
      groups: [group('a', { max: 5 })],
      jobs: jobs(3, 1_000),
      fault: (call, now) => {
        if (call !== 'launch') return undefined;
        calls.push(now);
        return now < hour ? 'fails' : undefined;
      },
    });
    await simulation.run(manager, 2 * hour);
    expect(simulation.unfinishedCount).toBe(0);
    const early = calls.filter((at) => at < hour);
    expect(early.length).toBeLessThan(25);
    expect(Math.max(...early.map((at, n) => at - (early[n - 1] ?? 0)))).toBeGreaterThan(200_000);
  });
});

it('CapacityManager with any faults: never exceeds the maximum of workers and finishes every job', async () => {
  const faults = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant(undefined) },
      fc.constantFrom<Fault>('fails', 'answer lost', { starts: 1 }),
    ),
    { minLength: 1, maxLength: 40 },
  );
  const arrivals = fc.array(fc.record({ atMs: fc.nat(hour / 2), runMs: fc.integer({ min: 1_000, max: 300_000 }) }), {
    minLength: 1,
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(faults, arrivals, fc.nat(30_000), async (pattern, jobList, listedAfterMs) => {
      const max = 3;
      let calls = 0;
      const { simulation, manager } = simulate({
        groups: [group('a', { max })],
        jobs: jobList.map((job) => ({ type: 'A', ...job })),
        listedAfterMs,
        // Faults end after an hour.
        fault: (call, now) => {
          calls += 1;
          const decided = now < hour ? pattern[calls % pattern.length] : undefined;
          return call === 'launch' || decided === 'fails' ? decided : undefined;
        },
      });
      // Hours without work and without workers take most of the time of this test, so the manager stops before.
      for (let atMs = hour; atMs < 8 * hour; atMs += hour / 6) {
        simulation.at(atMs, () => {
          if (simulation.unfinishedCount === 0 && simulation.workerCount === 0) manager.stop();
        });
      }
      await simulation.run(manager, 8 * hour);
      expect(simulation.totals.maxWorkers).toBeLessThanOrEqual(max);
      expect(simulation.unfinishedCount).toBe(0);
      expect(simulation.workerCount).toBe(0);
    }),
    { numRuns: 100 },
  );
});
