import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ApiError, createApi } from '../../../src/client/api.js';
import { backOffMs, type FollowOptions, followLogs, untilEnded } from '../../../src/client/live-logs.js';
import type { LogEvent } from '../../../src/contract/executions.js';
import {
  type Act,
  eventOf,
  type OrchestratorStandIn,
  type StandInExecution,
  startOrchestratorStandIn,
} from '../../support/fakes/executions-api.js';
import { until } from '../../support/until.js';

let standIn: OrchestratorStandIn;
beforeAll(async () => {
  standIn = await startOrchestratorStandIn();
});
afterAll(() => standIn.close());
afterEach(() => standIn.answers.clear());

const api = () => createApi({ baseUrl: standIn.url, credentials: { kind: 'apiKey', apiKey: 'key' } });
const idOf = (execution: StandInExecution) => execution.state.execution_id;
const atOnce = { backOffMs: () => 0 };
const lines = (count: number) => Array.from({ length: count }, (_, n) => `line ${n}`);
const succeeded = { status: 'SUCCEEDED', exitCode: 0 } as const;

async function all(execution: StandInExecution, options: FollowOptions = {}): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  for await (const event of followLogs(api(), idOf(execution), { ...atOnce, ...options })) events.push(event);
  return events;
}

describe('following logs', () => {
  it('yields each event once and in order, whatever the connections do', async () => {
    const act: fc.Arbitrary<Act> = fc.record({
      repeats: fc.nat(5),
      sends: fc.nat(12),
      ends: fc.constantFrom('drop', 'close', 'slow_consumer', 'server_stopping', 'refuse', 'unavailable'),
    });
    await fc.assert(
      fc.asyncProperty(fc.nat(40), fc.array(act, { maxLength: 8 }), async (count, acts) => {
        const execution = standIn.begin({ lines: lines(count), acts, end: succeeded });
        expect(await all(execution)).toEqual(execution.events);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('says that it is ready, once a connection, and goes on after the last event that it saw', async () => {
    const acts: Act[] = [{ sends: 3, ends: 'slow_consumer' }, { ends: 'server_stopping' }];
    const execution = standIn.begin({ lines: lines(5), acts, end: succeeded });
    await all(execution);
    expect(execution).toMatchObject({ ready: 3, resumedFrom: [null, 'event-2', 'event-2'] });
  });

  it('takes what is left from the answer of an execution that ended meanwhile, whatever its order', async () => {
    const execution = standIn.begin({ lines: lines(4), acts: [{ sends: 2, ends: 'server_stopping' }] });
    const seen: string[] = [];
    for await (const { event_id } of followLogs(api(), idOf(execution), atOnce)) {
      seen.push(event_id);
      // A line that is older than what was seen came last.
      if (seen.length === 2) {
        execution.events.unshift(eventOf(99));
        standIn.end(execution, 'FAILED', 3);
      }
    }
    expect(seen).toEqual(['event-0', 'event-1', 'event-99', 'event-2', 'event-3']);
  });

  it('reads an ended execution without a connection', async () => {
    const execution = standIn.begin({ lines: lines(3) });
    standIn.end(execution, 'SUCCEEDED', 0);
    expect(await all(execution)).toEqual(execution.events);
    expect(execution.resumedFrom).toEqual([]);
  });

  it('uses the address that the start answered, and asks for none', async () => {
    standIn.plan({ lines: lines(2), end: succeeded });
    const started = await api().run({ command: 'true' });
    const asked = standIn.requests.length;
    const events: LogEvent[] = [];
    for await (const event of followLogs(api(), started.execution_id, { websocketUrl: started.websocket_url }))
      events.push(event);
    expect(events).toEqual(standIn.last()?.events);
    expect(standIn.requests.length).toBe(asked);
  });

  it('ends without an error when its signal aborts, and closes the connection', async () => {
    const execution = standIn.begin({ lines: lines(2) });
    const stop = new AbortController();
    const done = all(execution, { signal: stop.signal });
    await until(() => execution.ready === 1);
    stop.abort();
    expect((await done).length).toBeLessThanOrEqual(2);
    await until(() => standIn.connections() === 0);
  });

  it('closes the connection when its reader leaves', async () => {
    const execution = standIn.begin({ lines: lines(2) });
    for await (const _ of followLogs(api(), idOf(execution))) break;
    await until(() => standIn.connections() === 0);
  });

  it('loses nothing to a slow reader of many lines', async () => {
    const execution = standIn.begin({ lines: lines(20_000), end: succeeded });
    let count = 0;
    for await (const { event_id } of followLogs(api(), idOf(execution))) {
      if (event_id !== `event-${count}`) throw new Error(`${event_id} came as number ${count}`);
      count += 1;
      if (count % 5_000 === 0) await new Promise(setImmediate);
    }
    expect(count).toBe(20_000);
  });

  it('throws what the API refuses, at once', async () => {
    const waits: number[] = [];
    const follow = followLogs(api(), 'f'.repeat(32), {
      backOffMs: (failures) => {
        waits.push(failures);
        return 0;
      },
    });
    await expect(follow.next()).rejects.toMatchObject({ status: 404 });
    expect(waits).toEqual([]);
  });

  it('gives up when nothing works for many tries, waiting longer each time', async () => {
    const waits: number[] = [];
    const execution = standIn.begin({ acts: Array.from({ length: 100 }, () => ({ ends: 'unavailable' })) });
    const wait = (failures: number) => {
      waits.push(failures);
      return 0;
    };
    await expect(all(execution, { backOffMs: wait })).rejects.toBeInstanceOf(ApiError);
    expect(waits).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
  });

  it('says once that it tries again, and gives up after three minutes', async () => {
    const execution = standIn.begin({ acts: Array.from({ length: 100 }, () => ({ ends: 'unavailable' })) });
    const told: string[] = [];
    let clock = 0;
    const wait = () => {
      clock += 50_000;
      return 0;
    };
    const options = { backOffMs: wait, now: () => clock, onTrouble: (reason: string) => told.push(reason) };
    await expect(all(execution, options)).rejects.toBeInstanceOf(ApiError);
    expect([told.length, clock]).toEqual([1, 200_000]);
  });

  it('goes on for ever as long as new events come between the failures', async () => {
    const acts: Act[] = Array.from({ length: 60 }, () => ({ sends: 1, ends: 'close' }));
    const execution = standIn.begin({ lines: lines(60), acts, end: succeeded });
    expect(await all(execution)).toEqual(execution.events);
  });
});

describe('the back-off', () => {
  it('doubles to five seconds, half of it at random', () => {
    for (const [failures, most] of [
      [1, 400],
      [2, 800],
      [4, 3_200],
      [5, 5_000],
      [40, 5_000],
    ] as const) {
      const waits = Array.from({ length: 200 }, () => backOffMs(failures));
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(most / 2);
      expect(Math.max(...waits)).toBeLessThanOrEqual(most);
      expect(new Set(waits).size).toBeGreaterThan(100);
    }
  });
});

describe('waiting for the end', () => {
  it('asks until it has come', async () => {
    const execution = standIn.begin({});
    let asked = 0;
    const state = await untilEnded(
      {
        executionStatus: async () => {
          asked += 1;
          if (asked === 2) throw new ApiError(503, 'away');
          if (asked === 4) standIn.end(execution, 'FAILED', 7);
          return execution.state;
        },
      },
      idOf(execution),
      atOnce,
    );
    expect([asked, state.exit_code]).toEqual([4, 7]);
  });
});
