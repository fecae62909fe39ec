import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { type Choice, Interrupts } from '../../../../src/cli/executions/interrupts.js';

function listen({ terminal }: { terminal: boolean }) {
  const source = new EventEmitter();
  const seen = { exits: 0, questions: 0 };
  let answer: (choice: Choice) => void = () => {};
  let refuse: (error: Error) => void = () => {};
  const ask = () => {
    seen.questions += 1;
    return new Promise<Choice>((resolve, reject) => {
      answer = resolve;
      refuse = reject;
    });
  };
  const interrupts = new Interrupts({
    source,
    ask: terminal ? ask : undefined,
    exit: () => {
      seen.exits += 1;
    },
  });
  return {
    interrupts,
    seen,
    source,
    signal: (name: NodeJS.Signals = 'SIGINT') => source.emit(name, name),
    async answer(choice: Choice) {
      answer(choice);
      await interrupts.answered();
    },
    async refuse() {
      refuse(new Error('Ctrl+C'));
      await interrupts.answered();
    },
  };
}

describe('Interrupts without a terminal', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s kills the execution', (name) => {
    const { interrupts, signal, seen } = listen({ terminal: false });
    interrupts.start();
    signal(name);
    expect([interrupts.decision, interrupts.signal.aborted, seen]).toEqual(['kill', true, { exits: 0, questions: 0 }]);
  });

  it('a second signal exits at once', () => {
    const { interrupts, signal, seen } = listen({ terminal: false });
    interrupts.start();
    signal();
    signal('SIGTERM');
    expect(seen.exits).toBe(1);
  });

  it('a signal before the start kills after the start, and a second signal exits', () => {
    const { interrupts, signal, seen } = listen({ terminal: false });
    signal();
    expect(interrupts.decision).toBeUndefined();
    interrupts.start();
    expect(interrupts.decision).toBe('kill');
    const early = listen({ terminal: false });
    early.signal();
    early.signal();
    expect([seen.exits, early.seen.exits]).toEqual([0, 1]);
  });
});

describe('Interrupts on a terminal', () => {
  it.each(['kill', 'detach'] as const)('Ctrl+C asks, and the answer %s decides', async (choice) => {
    const { interrupts, signal, seen, answer } = listen({ terminal: true });
    interrupts.start();
    signal();
    expect([interrupts.decision, seen.questions]).toEqual([undefined, 1]);
    await answer(choice);
    expect([interrupts.decision, interrupts.signal.aborted]).toEqual([choice, true]);
  });

  it('answered() waits for the answer', async () => {
    const { interrupts, signal, answer } = listen({ terminal: true });
    interrupts.start();
    await interrupts.answered();
    signal();
    let isAnswered = false;
    const waited = interrupts.answered().then(() => {
      isAnswered = true;
    });
    await new Promise(setImmediate);
    expect(isAnswered).toBe(false);
    await answer('follow');
    await waited;
  });

  it('the answer follow decides nothing, and the next signal asks again', async () => {
    const { interrupts, signal, seen, answer } = listen({ terminal: true });
    interrupts.start();
    signal();
    await answer('follow');
    expect([interrupts.decision, interrupts.signal.aborted]).toEqual([undefined, false]);
    signal();
    expect(seen).toEqual({ exits: 0, questions: 2 });
  });

  it('a second Ctrl+C detaches at the question, and exits before the question', async () => {
    const shown = listen({ terminal: true });
    shown.interrupts.start();
    shown.signal();
    await shown.refuse();
    expect(shown.interrupts.decision).toBe('detach');
    const early = listen({ terminal: true });
    early.interrupts.start();
    early.signal();
    early.signal();
    expect(early.seen).toEqual({ exits: 1, questions: 1 });
  });

  it('SIGTERM kills without a question', () => {
    const { interrupts, signal, seen } = listen({ terminal: true });
    interrupts.start();
    signal('SIGTERM');
    expect([interrupts.decision, seen.questions]).toEqual(['kill', 0]);
  });
});

it('Interrupts: stop() removes the listeners', () => {
  const { interrupts, source } = listen({ terminal: true });
  interrupts.stop();
  expect([source.listenerCount('SIGINT'), source.listenerCount('SIGTERM')]).toEqual([0, 0]);
});
