import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createApi } from '../../../src/client/api.js';
import { ApiError } from '../../../src/client/api-error.js';
import { type FollowOptions, followLogs, waitUntilEnded } from '../../../src/client/live-logs.js';
import type { LogEvent } from '../../../src/contract/executions.js';
import {
  type Act,
  createEvent,
  type FakeExecution,
  type FakeExecutionsApi,
  startFakeExecutionsApi,
} from '../../support/fakes/executions-api.js';
import { until } from '../../support/until.js';

let fake: FakeExecutionsApi;
beforeAll(async () => {
  fake = await startFakeExecutionsApi();
});
afterAll(() => fake.close());
afterEach(() => fake.answers.clear());

const api = () => createApi({ baseUrl: fake.url, credentials: { kind: 'apiKey', apiKey: 'key' } });
const getId = (execution: FakeExecution) => execution.state.execution_id;
const withoutDelay = { retryDelayMs: () => 0 };
const lines = (count: number) => Array.from({ length: count }, (_, n) => `line ${n}`);
const succeeded = { status: 'SUCCEEDED', exitCode: 0 } as const;

async function all(execution: FakeExecution, options: FollowOptions = {}): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  for await (const event of followLogs(api(), getId(execution), { ...withoutDelay, ...options })) events.push(event);
  return events;
}

describe('followLogs', () => {
  it('yields each event once and in order when connections fail at random', async () => {
    const act: fc.Arbitrary<Act> = fc.record({
      repeats: fc.nat(5),
      sends: fc.nat(12),
      ends: fc.constantFrom('drop', 'close', 'slow_consumer', 'server_stopping', 'refuse', 'unavailable'),
    });
    await fc.assert(
      fc.asyncProperty(fc.nat(40), fc.array(act, { maxLength: 8 }), async (count, acts) => {
        const execution = fake.begin({ lines: lines(count), acts, end: succeeded });
        expect(await all(execution)).toEqual(execution.events);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('sends ready once a connection and resumes after the last event', async () => {
    const acts: Act[] = [{ sends: 3, ends: 'slow_consumer' }, { ends: 'server_stopping' }];
    const execution = fake.begin({ lines: lines(5), acts, end: succeeded });
    await all(execution);
    expect(execution).toMatchObject({ ready: 3, resumedFrom: [null, 'event-2', 'event-2'] });
  });

  it('yields the remaining events of an execution that ended meanwhile, in any order', async () => {
    const execution = fake.begin({ lines: lines(4), acts: [{ sends: 2, ends: 'server_stopping' }] });
    const seen: string[] = [];
    for await (const { event_id } of followLogs(api(), getId(execution), withoutDelay)) {
      seen.push(event_id);
      // The line that arrives last has the earliest time.
      if (seen.length === 2) {
        execution.events.unshift(createEvent(99));
        fake.end(execution, 'FAILED', 3);
      }
    }
    expect(seen).toEqual(['event-0', 'event-1', 'event-99', 'event-2', 'event-3']);
  });

  it('reads an ended execution without a connection', async () => {
    const execution = fake.begin({ lines: lines(3) });
    fake.end(execution, 'SUCCEEDED', 0);
    expect(await all(execution)).toEqual(execution.events);
    expect(execution.resumedFrom).toEqual([]);
  });

  it('uses the address in the answer of run without asking for another', async () => {
    fake.plan({ lines: lines(2), end: succeeded });
    const started = await api().run({ command: 'true' });
    const requestCount = fake.requests.length;
    const events: LogEvent[] = [];
    for await (const event of followLogs(api(), started.execution_id, { websocketUrl: started.websocket_url }))
      events.push(event);
    expect(events).toEqual(fake.last()?.events);
    expect(fake.requests.length).toBe(requestCount);
  });

  it('returns without an error and closes the connection when the signal aborts', async () => {
    const execution = fake.begin({ lines: lines(2) });
    const stop = new AbortController();
    const done = all(execution, { signal: stop.signal });
    await until(() => execution.ready === 1);
    stop.abort();
    expect((await done).length).toBeLessThanOrEqual(2);
    await until(() => fake.connections() === 0);
  });

  it('closes the connection when the reader stops early', async () => {
    const execution = fake.begin({ lines: lines(2) });
    for await (const _ of followLogs(api(), getId(execution))) break;
    await until(() => fake.connections() === 0);
    expect(fake.connections()).toBe(0);
  });

  it('yields every line to a slow reader of many lines', async () => {
    const execution = fake.begin({ lines: lines(20_000), end: succeeded });
    let count = 0;
    for await (const { event_id } of followLogs(api(), getId(execution))) {
      if (event_id !== `event-${count}`) throw new Error(`${event_id} came as number ${count}`);
      count += 1;
      if (count % 5_000 === 0) await new Promise(setImmediate);
    }
    expect(count).toBe(20_000);
  });

  it('throws a refusal of the API at once', async () => {
    const waits: number[] = [];
    const follow = followLogs(api(), 'f'.repeat(32), {
      retryDelayMs: (failures) => {
        waits.push(failures);
        return 0;
      },
    });
    await expect(follow.next()).rejects.toMatchObject({ status: 404 });
    expect(waits).toEqual([]);
  });

  it('throws after 40 failures in a row, each with its delay', async () => {
    const waits: number[] = [];
    const execution = fake.begin({ acts: Array.from({ length: 100 }, () => ({ ends: 'unavailable' })) });
    const wait = (failures: number) => {
      waits.push(failures);
      return 0;
    };
    await expect(all(execution, { retryDelayMs: wait })).rejects.toBeInstanceOf(ApiError);
    expect(waits).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
  });

  it('reports once that it reconnects and throws after three minutes', async () => {
    const execution = fake.begin({ acts: Array.from({ length: 100 }, () => ({ ends: 'unavailable' })) });
    const reasons: string[] = [];
    let clock = 0;
    const wait = () => {
      clock += 50_000;
      return 0;
    };
    const options = { retryDelayMs: wait, now: () => clock, onRetry: (reason: string) => reasons.push(reason) };
    await expect(all(execution, options)).rejects.toBeInstanceOf(ApiError);
    expect([reasons.length, clock]).toEqual([1, 200_000]);
  });

  it('continues as long as new events come between the failures', async () => {
    const acts: Act[] = Array.from({ length: 60 }, () => ({ sends: 1, ends: 'close' }));
    const execution = fake.begin({ lines: lines(60), acts, end: succeeded });
    expect(await all(execution)).toEqual(execution.events);
  });
});

describe('waitUntilEnded', () => {
  it('polls until the execution has ended, past a failure', async () => {
    const execution = fake.begin({});
    let polls = 0;
    const state = await waitUntilEnded(
      {
        executionStatus: async () => {
          polls += 1;
          if (polls === 2) throw new ApiError(503, 'away');
          if (polls === 4) fake.end(execution, 'FAILED', 7);
          return execution.state;
        },
      },
      getId(execution),
      withoutDelay,
    );
    expect([polls, state.exit_code]).toEqual([4, 7]);
  });
});
