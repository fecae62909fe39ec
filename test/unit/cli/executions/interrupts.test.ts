import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { type Choice, watchInterrupts } from '../../../../src/cli/executions/interrupts.js';

function watch({ terminal }: { terminal: boolean }) {
  const source = new EventEmitter();
  const seen = { left: 0, asked: 0 };
  let answer: (choice: Choice) => void = () => {};
  let refuse: (error: Error) => void = () => {};
  const ask = () => {
    seen.asked += 1;
    return new Promise<Choice>((resolve, reject) => {
      answer = resolve;
      refuse = reject;
    });
  };
  const interrupts = watchInterrupts({
    source,
    ask: terminal ? ask : undefined,
    leave: () => {
      seen.left += 1;
    },
  });
  return {
    interrupts,
    seen,
    source,
    signal: (name: NodeJS.Signals = 'SIGINT') => source.emit(name, name),
    async answer(choice: Choice) {
      answer(choice);
      await interrupts.quiet();
    },
    async refuse() {
      refuse(new Error('Ctrl+C'));
      await interrupts.quiet();
    },
  };
}

describe('without a terminal', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s kills', (name) => {
    const { interrupts, signal, seen } = watch({ terminal: false });
    interrupts.begin();
    signal(name);
    expect([interrupts.decision(), interrupts.signal.aborted, seen]).toEqual(['kill', true, { left: 0, asked: 0 }]);
  });

  it('a second one leaves at once', () => {
    const { interrupts, signal, seen } = watch({ terminal: false });
    interrupts.begin();
    signal();
    signal('SIGTERM');
    expect(seen.left).toBe(1);
  });

  it('one before the start was answered kills as soon as it is, and a second leaves', () => {
    const { interrupts, signal, seen } = watch({ terminal: false });
    signal();
    expect(interrupts.decision()).toBeUndefined();
    interrupts.begin();
    expect(interrupts.decision()).toBe('kill');
    const other = watch({ terminal: false });
    other.signal();
    other.signal();
    expect([seen.left, other.seen.left]).toEqual([0, 1]);
  });
});

describe('on a terminal', () => {
  it.each(['kill', 'detach'] as const)('asks, and the answer %s is the decision', async (choice) => {
    const { interrupts, signal, seen, answer } = watch({ terminal: true });
    interrupts.begin();
    signal();
    expect([interrupts.decision(), seen.asked]).toEqual([undefined, 1]);
    await answer(choice);
    expect([interrupts.decision(), interrupts.signal.aborted]).toEqual([choice, true]);
  });

  it('is quiet only when the question is answered', async () => {
    const { interrupts, signal, answer } = watch({ terminal: true });
    interrupts.begin();
    await interrupts.quiet();
    signal();
    let quiet = false;
    const waited = interrupts.quiet().then(() => {
      quiet = true;
    });
    await new Promise(setImmediate);
    expect(quiet).toBe(false);
    await answer('follow');
    await waited;
  });

  it('goes on when told to, and asks again the next time', async () => {
    const { interrupts, signal, seen, answer } = watch({ terminal: true });
    interrupts.begin();
    signal();
    await answer('follow');
    expect([interrupts.decision(), interrupts.signal.aborted]).toEqual([undefined, false]);
    signal();
    expect(seen).toEqual({ left: 0, asked: 2 });
  });

  it('a second Ctrl+C detaches, whether the question is shown yet or not', async () => {
    const shown = watch({ terminal: true });
    shown.interrupts.begin();
    shown.signal();
    await shown.refuse();
    expect(shown.interrupts.decision()).toBe('detach');
    const early = watch({ terminal: true });
    early.interrupts.begin();
    early.signal();
    early.signal();
    expect(early.seen).toEqual({ left: 1, asked: 1 });
  });

  it('SIGTERM kills without a question', () => {
    const { interrupts, signal, seen } = watch({ terminal: true });
    interrupts.begin();
    signal('SIGTERM');
    expect([interrupts.decision(), seen.asked]).toEqual(['kill', 0]);
  });
});

it('listens no more once it is stopped', () => {
  const { interrupts, source } = watch({ terminal: true });
  interrupts.stop();
  expect([source.listenerCount('SIGINT'), source.listenerCount('SIGTERM')]).toEqual([0, 0]);
});
