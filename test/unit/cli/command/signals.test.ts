import { EventEmitter } from 'node:events';
import { expect, it } from '@jest/globals';
import { abortOnSignal } from '../../../../src/cli/command/signals.js';

/** Sends the signals, each after some milliseconds, and returns the exit codes and the reason of the abort. */
function send(signals: readonly [name: string, afterMs: number][]) {
  const source = new EventEmitter();
  const exitCodes: number[] = [];
  let nowMs = 0;
  const { signal, stopListening } = abortOnSignal({ source, exit: (code) => exitCodes.push(code), now: () => nowMs });
  for (const [name, afterMs] of signals) {
    nowMs += afterMs;
    source.emit(name, name);
  }
  stopListening();
  return { reason: signal.reason, exitCodes, listeners: source.listenerCount('SIGINT') };
}

it.each<[string, [string, number][], number[]]>([
  ['aborts at the first signal', [['SIGINT', 0]], []],
  [
    'ignores the same signal that a launcher forwards at once',
    [
      ['SIGINT', 0],
      ['SIGINT', 5],
    ],
    [],
  ],
  [
    'exits at a second signal',
    [
      ['SIGINT', 0],
      ['SIGINT', 500],
    ],
    [130],
  ],
  [
    'exits at another signal at once',
    [
      ['SIGINT', 0],
      ['SIGTERM', 5],
    ],
    [130],
  ],
])('abortOnSignal: %s', (_, signals, exitCodes) => {
  expect(send(signals)).toEqual({ reason: 'SIGINT', exitCodes, listeners: 0 });
});
