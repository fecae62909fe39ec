import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../../../src/client/api-error.js';
import { Retries } from '../../../src/client/retries.js';

async function fail(retries: Retries, times: number, failure: unknown = new ApiError(503, 'unavailable')) {
  for (let n = 0; n < times; n++) await retries.failed(failure);
}

describe('Retries', () => {
  it('counts failures in a row and starts again after a success', async () => {
    const delays: number[] = [];
    const retries = new Retries({
      retryDelayMs: (failures) => {
        delays.push(failures);
        return 0;
      },
    });
    await fail(retries, 3);
    retries.succeeded();
    await fail(retries, 2);
    expect(delays).toEqual([1, 2, 3, 1, 2]);
  });

  it('reports the second failure in a row alone', async () => {
    const reasons: string[] = [];
    const retries = new Retries({ retryDelayMs: () => 0, onRetry: (reason) => reasons.push(reason) });
    await retries.failed(undefined);
    expect(reasons).toEqual([]);
    for (let n = 0; n < 3; n++) await retries.failed(undefined);
    expect(reasons).toEqual(['the connection closes']);
  });

  it('throws an error that another attempt cannot mend at once', async () => {
    await expect(fail(new Retries({}), 1, new ApiError(404, 'Not found'))).rejects.toMatchObject({ status: 404 });
  });

  it('throws a SetupError with the reason after too many failures without an answer', async () => {
    const failing = fail(new Retries({ retryDelayMs: () => 0 }), 41, new Error('reset'));
    await expect(failing).rejects.toThrow('The stream of logs breaks again and again: reset');
  });
});
