import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createManager } from '../../../../src/capacity/manager/manager.js';
import {
  createSimulation,
  type Fault,
  type SimulationOptions,
} from '../../../../src/capacity/simulation/simulation.js';
import { collectingLog, group } from '../manager/support.js';

const hour = 3_600_000;

function world(options: SimulationOptions) {
  const simulation = createSimulation(options);
  const { log, lines } = collectingLog();
  const manager = createManager({
    ...simulation.managerOptions,
    holder: 'me',
    pollIntervalMs: 3000,
    log,
    random: () => 0.5,
  });
  return { ...simulation, manager, lines };
}

const jobs = (count: number, everyMs: number, runMs = 60_000, type = 'A') =>
  Array.from({ length: count }, (_, n) => ({ type, atMs: n * everyMs, runMs }));

describe('a simulated hour', () => {
  it('sends a launch within a second of a job, when no cooldown holds it', async () => {
    const launchedAt: number[] = [];
    const simulation = world({
      groups: [group('a')],
      jobs: jobs(20, 160_000, 1_000),
      idleMs: 1_000,
      fault: (call, now) => {
        if (call === 'launch') launchedAt.push(now);
        return undefined;
      },
    });
    await simulation.run(simulation.manager, hour);
    expect(simulation.unfinished()).toBe(0);
    expect(launchedAt).toHaveLength(20);
    launchedAt.forEach((at, n) => {
      expect(at - n * 160_000).toBeLessThan(1_000);
    });
  });

  it('in which the API is away makes few calls, launches nothing, and everything is done afterwards', async () => {
    const calls = { away: 0 };
    const simulation = world({
      groups: [group('a', { max: 5 })],
      jobs: jobs(30, 60_000),
      fault: (call, now) => {
        if (call !== 'api' || now < 60_000 || now > hour + 60_000) return undefined;
        calls.away += 1;
        return 'fails';
      },
    });
    await simulation.run(simulation.manager, 2 * hour);
    expect(simulation.unfinished()).toBe(0);
    expect(calls.away).toBeLessThan(200);
    expect(simulation.lines.filter(({ level }) => level === 40)).toHaveLength(1);
  });

  it('of throttling makes a call a few minutes apart at last, and goes on by itself', async () => {
    const calls: number[] = [];
    const simulation = world({
      groups: [group('a', { max: 5 })],
      jobs: jobs(3, 1_000),
      fault: (call, now) => {
        if (call !== 'launch') return undefined;
        calls.push(now);
        return now < hour ? 'fails' : undefined;
      },
    });
    await simulation.run(simulation.manager, 2 * hour);
    expect(simulation.unfinished()).toBe(0);
    const early = calls.filter((at) => at < hour);
    expect(early.length).toBeLessThan(25);
    expect(Math.max(...early.map((at, n) => at - (early[n - 1] ?? 0)))).toBeGreaterThan(200_000);
  });
});

it('whatever fails, no more workers than the maximum ever exist, and every job is done at last', async () => {
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
    fc.asyncProperty(faults, arrivals, fc.nat(30_000), async (pattern, arriving, listedAfterMs) => {
      const max = 3;
      let asked = 0;
      const simulation = world({
        groups: [group('a', { max })],
        jobs: arriving.map((job) => ({ type: 'A', ...job })),
        listedAfterMs,
        // Faults end after an hour.
        fault: (call, now) => {
          asked += 1;
          const found = now < hour ? pattern[asked % pattern.length] : undefined;
          return call === 'launch' || found === 'fails' ? found : undefined;
        },
      });
      await simulation.run(simulation.manager, 8 * hour);
      expect(simulation.totals.mostWorkers).toBeLessThanOrEqual(max);
      expect(simulation.unfinished()).toBe(0);
      expect(simulation.workers()).toBe(0);
    }),
    { numRuns: 100 },
  );
});
