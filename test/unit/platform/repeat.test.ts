import { expect, it, jest } from '@jest/globals';
import { startRepeating } from '../../../src/platform/repeat.js';

it('startRepeating: goes on after a failed run and ends with the run in progress', async () => {
  jest.useFakeTimers();
  try {
    const errors: unknown[] = [];
    let runs = 0;
    const repeating = startRepeating({
      run: async () => {
        runs += 1;
        if (runs === 1) throw new Error('the first run fails');
      },
      intervalMs: 10,
      onError: (error) => errors.push(error),
    });
    await jest.advanceTimersByTimeAsync(25);
    expect(runs).toBe(2);
    expect(errors).toEqual([new Error('the first run fails')]);
    await repeating.stop();
    await jest.advanceTimersByTimeAsync(100);
    expect(runs).toBe(2);
  } finally {
    jest.useRealTimers();
  }
});
