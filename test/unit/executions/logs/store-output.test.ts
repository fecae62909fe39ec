import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LogEvent } from '../../../../src/contract/executions.js';
import { createRedactor } from '../../../../src/executions/logs/redact.js';
import { type OutputOptions, storeOutput } from '../../../../src/executions/logs/store-output.js';
import { until } from '../../../support/until.js';

const executionId = 'e'.repeat(32);

/** What is stored, and how it went. Like the table, it keeps an event once. */
function storage(answer: (batch: readonly LogEvent[], call: number) => Promise<void> = async () => {}) {
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

/** Chunks as somebody takes them. */
function source(chunks: Iterable<string | Uint8Array>) {
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
  redact: createRedactor([]),
  now: () => 1,
  onError() {},
  signal: new AbortController().signal,
  retryMs: 1,
  ...more,
});
const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, n) => `line ${from + n}`);

/** A gate that a test opens. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}

describe('output', () => {
  it('is stored in order, once, with ids that sort, also when the clock is set back', async () => {
    const store = storage();
    const times = [5, 9, 3, 12];
    const { output } = source(numbered(4).map((line) => `${line}\n`));
    await storeOutput(output, options({ ...store, now: () => times.shift() ?? 0 }));
    const events = store.events();
    expect(events.map(({ message }) => message)).toEqual(numbered(4));
    expect(events.map(({ timestamp }) => timestamp)).toEqual([5, 9, 9, 12]);
    const ids = events.map(({ event_id }) => event_id);
    expect(ids).toEqual([...ids].sort());
  });

  it('that arrives while lines are being stored is stored together, 2,000 lines at most', async () => {
    const first = gate();
    const store = storage((_, call) => (call === 1 ? first.opened : Promise.resolve()));
    const { output, state } = source(numbered(5_000).map((line) => `${line}\n`));
    const stored = storeOutput(output, options(store));
    await until(() => state.taken === 5_000);
    first.open();
    await stored;
    expect(store.sizes).toEqual([1, 2_000, 2_000, 999]);
    expect(store.messages()).toEqual(numbered(5_000));
  });

  it('of long lines is stored a million characters at a time', async () => {
    const store = storage();
    const lines = Array.from({ length: 9 }, (_, n) => String(n).repeat(250_000));
    await storeOutput(source([lines.join('\n')]).output, options(store));
    expect(store.sizes).toEqual([4, 4, 1]);
    expect(store.messages()).toEqual(lines);
  });

  it.each([
    ['lines', 'x\n'.repeat(1_000), 9],
    ['characters', `${'x'.repeat(200_000)}\n`, 41],
  ])('waits at its source while storing hangs: so many %s', async (_, chunk, most) => {
    const hanging = gate();
    const store = storage(() => hanging.opened);
    const { output, state } = source(Array.from({ length: 100 }, () => chunk));
    const stored = storeOutput(output, options(store));
    // The first batch is on its way and no longer waits.
    await until(() => state.taken >= most);
    for (let turn = 0; turn < 1_000; turn += 1) await Promise.resolve();
    expect(state.taken).toBeLessThanOrEqual(most + 1);
    hanging.open();
    await stored;
    expect([state.taken, store.messages().length]).toEqual([100, chunk.split('\n').length * 100 - 100]);
  });

  it('is stored without loss or repeat, whichever statements fail before or after they took effect', async () => {
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
            if (answer === 'after') throw new Error('stored, but who knows');
            return batch.length;
          },
        };
        const text = pieces.map((piece) => piece.join(''));
        const onError = (error: unknown) => errors.push(error);
        await storeOutput(source(text).output, options({ logs, onError, retryMs: 0 }));
        const lines = text.join('').split('\n');
        const expected = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
        expect([...stored.values()]).toEqual(expected.map((line) => line.replace(/\r$/, '')));
        expect(errors).toHaveLength(answers.slice(0, call).filter((answer) => answer !== 'fine').length);
      }),
    );
  });

  it('is masked, also where a secret is longer than what is kept of a line', async () => {
    const store = storage();
    const secret = 'hunter2-'.repeat(20);
    const line = 'x'.repeat(262_140) + secret;
    await storeOutput(source([line.slice(0, 262_150), line.slice(262_150)]).output, {
      ...options(store),
      redact: createRedactor([secret]),
    });
    expect(store.messages()).toEqual([`${'x'.repeat(262_140)}***`]);
  });
});

describe('when storing is given up', () => {
  const failing = () => Promise.reject(new Error('away'));

  it('it fails with what was wrong, and takes no more from its source', async () => {
    const aborted = new AbortController();
    const store = storage(failing);
    const { output, state } = source(Array.from({ length: 100 }, () => 'x\n'.repeat(1_000)));
    let errors = 0;
    const stored = storeOutput(output, {
      ...options({ ...store, signal: aborted.signal, retryMs: 60_000 }),
      onError: () => {
        errors += 1;
      },
    });
    await until(() => errors === 1);
    aborted.abort();
    await expect(stored).rejects.toThrow('away');
    expect([errors, store.messages(), state.taken < 12]).toEqual([1, [], true]);
  });

  it('it fails also when all has been read', async () => {
    const aborted = new AbortController();
    aborted.abort();
    const stored = storeOutput(source(['one line\n']).output, options({ ...storage(failing), signal: aborted.signal }));
    await expect(stored).rejects.toThrow('away');
  });
});
