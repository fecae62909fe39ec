import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LogEvent } from '../../../../src/contract/executions.js';
import { Redactor } from '../../../../src/executions/logs/redact.js';
import { type OutputOptions, storeOutput } from '../../../../src/executions/logs/store-output.js';
import { until } from '../../../support/until.js';

const executionId = 'e'.repeat(32);

/** Fake of the log store: stores an event once, as the table does, and records the sizes of batches. */
function fakeStore(answer: (batch: readonly LogEvent[], call: number) => Promise<void> = async () => {}) {
  const events = new Map<string, LogEvent>();
  const sizes: number[] = [];
  return {
    sizes,
    events: () => [...events.values()],
    messages: () => [...events.values()].map(({ message }) => message),
    logs: {
      async append(_: string, batch: readonly LogEvent[]) {
        sizes.push(batch.length);
        await answer(batch, sizes.length);
        for (const event of batch) if (!events.has(event.event_id)) events.set(event.event_id, event);
        return batch.length;
      },
    },
  };
}

/** Returns output in chunks, and counts the chunks that were taken. */
function createOutput(chunks: Iterable<string | Uint8Array>) {
  const state = { taken: 0 };
  async function* all(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) {
      state.taken += 1;
      yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    }
  }
  return { output: all(), state };
}

const options = (more: Partial<OutputOptions> & Pick<OutputOptions, 'logs'>): OutputOptions => ({
  executionId,
  redactor: new Redactor([]),
  now: () => 1,
  onRetry() {},
  signal: new AbortController().signal,
  retryMs: 1,
  ...more,
});
const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, n) => `line ${from + n}`);

/** Returns a barrier that a test opens. */
function createBarrier() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}

describe('storeOutput', () => {
  it('stores lines once, in order, with ids that sort, also when the clock is set back', async () => {
    const store = fakeStore();
    const times = [5, 9, 3, 12];
    const { output } = createOutput(numbered(4).map((line) => `${line}\n`));
    await storeOutput(output, options({ ...store, now: () => times.shift() ?? 0 }));
    const events = store.events();
    expect(events.map(({ message }) => message)).toEqual(numbered(4));
    expect(events.map(({ timestamp }) => timestamp)).toEqual([5, 9, 9, 12]);
    const ids = events.map(({ event_id }) => event_id);
    expect(ids).toEqual([...ids].sort());
  });

  it('stores lines that arrive meanwhile together, 2,000 at most', async () => {
    const first = createBarrier();
    const store = fakeStore((_, call) => (call === 1 ? first.opened : Promise.resolve()));
    const { output, state } = createOutput(numbered(5_000).map((line) => `${line}\n`));
    const stored = storeOutput(output, options(store));
    await until(() => state.taken === 5_000);
    first.open();
    await stored;
    expect(store.sizes).toEqual([1, 2_000, 2_000, 999]);
    expect(store.messages()).toEqual(numbered(5_000));
  });

  it('stores long lines a million characters at a time', async () => {
    const store = fakeStore();
    const lines = Array.from({ length: 9 }, (_, n) => String(n).repeat(250_000));
    await storeOutput(createOutput([lines.join('\n')]).output, options(store));
    expect(store.sizes).toEqual([4, 4, 1]);
    expect(store.messages()).toEqual(lines);
  });

  it.each([
    ['lines', 'x\n'.repeat(1_000), 9],
    ['characters', `${'x'.repeat(200_000)}\n`, 41],
  ])('reads no more output while storing hangs and too many %s wait', async (_, chunk, maxTaken) => {
    const hanging = createBarrier();
    const store = fakeStore(() => hanging.opened);
    const { output, state } = createOutput(Array.from({ length: 100 }, () => chunk));
    const stored = storeOutput(output, options(store));
    // The first batch is being stored and does not count as waiting.
    await until(() => state.taken >= maxTaken);
    for (let turn = 0; turn < 1_000; turn += 1) await Promise.resolve();
    expect(state.taken).toBeLessThanOrEqual(maxTaken + 1);
    hanging.open();
    await stored;
    expect([state.taken, store.messages().length]).toEqual([100, chunk.split('\n').length * 100 - 100]);
  });

  it('stores each line once, whichever statements fail before or after their commit', async () => {
    const chunks = fc.array(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '\n', '\r', '🐠') }), { maxLength: 20 }),
      {
        maxLength: 20,
      },
    );
    const failures = fc.array(fc.constantFrom('fine', 'before', 'after'), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(chunks, failures, async (pieces, answers) => {
        const stored = new Map<string, string>();
        const errors: unknown[] = [];
        let call = 0;
        const logs = {
          async append(_: string, batch: readonly LogEvent[]) {
            const answer = answers[call++] ?? 'fine';
            if (answer === 'before') throw new Error('not stored');
            for (const { event_id, message } of batch) if (!stored.has(event_id)) stored.set(event_id, message);
            if (answer === 'after') throw new Error('stored, but the answer was lost');
            return batch.length;
          },
        };
        const text = pieces.map((piece) => piece.join(''));
        const onRetry = (error: unknown) => errors.push(error);
        await storeOutput(createOutput(text).output, options({ logs, onRetry, retryMs: 0 }));
        const lines = text.join('').split('\n');
        const expected = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
        expect([...stored.values()]).toEqual(expected.map((line) => line.replace(/\r$/, '')));
        expect(errors).toHaveLength(answers.slice(0, call).filter((answer) => answer !== 'fine').length);
      }),
    );
  });

  it('masks a secret that crosses the end of a truncated line', async () => {
    const store = fakeStore();
    const secret = 'hunter2-'.repeat(20);
    const line = 'x'.repeat(262_140) + secret;
    await storeOutput(createOutput([line.slice(0, 262_150), line.slice(262_150)]).output, {
      ...options(store),
      redactor: new Redactor([secret]),
    });
    expect(store.messages()).toEqual([`${'x'.repeat(262_140)}***`]);
  });
});

describe('storeOutput after an abort', () => {
  const failing = () => Promise.reject(new Error('away'));

  it('throws the last error, and reads no more output', async () => {
    const aborted = new AbortController();
    const store = fakeStore(failing);
    const { output, state } = createOutput(Array.from({ length: 100 }, () => 'x\n'.repeat(1_000)));
    let errors = 0;
    const stored = storeOutput(output, {
      ...options({ ...store, signal: aborted.signal, retryMs: 60_000 }),
      onRetry: () => {
        errors += 1;
      },
    });
    await until(() => errors === 1);
    aborted.abort();
    await expect(stored).rejects.toThrow('away');
    expect([errors, store.messages(), state.taken < 12]).toEqual([1, [], true]);
  });

  it('throws the error of the last lines', async () => {
    const aborted = new AbortController();
    aborted.abort();
    const stored = storeOutput(
      createOutput(['one line\n']).output,
      options({ ...fakeStore(failing), signal: aborted.signal }),
    );
    await expect(stored).rejects.toThrow('away');
  });
});
