import { describe, expect, it } from '@jest/globals';
import { describeEvent } from '../../../../src/cli/jobs/follow.js';
import type { JobEvent } from '../../../../src/contract/jobs.js';

const event = (changes: Partial<JobEvent>): JobEvent => ({
  id: 17,
  type: 'TEST',
  status: 'PENDING',
  attempts: 0,
  queuePosition: null,
  progress: null,
  ...changes,
});

describe('describeEvent', () => {
  it.each<[Partial<JobEvent>, string]>([
    [{ queuePosition: 0 }, 'Job 17 (TEST) waits, next in the queue'],
    [{ queuePosition: 1 }, 'Job 17 (TEST) waits, 1 job ahead'],
    [{ queuePosition: 3 }, 'Job 17 (TEST) waits, 3 jobs ahead'],
    [{ queuePosition: 1000 }, 'Job 17 (TEST) waits, 1,000 or more jobs ahead'],
    [{ attempts: 1 }, 'Job 17 (TEST) waits, next in the queue (the worker of attempt 1 was lost)'],
    [{ status: 'IN_PROGRESS', attempts: 1 }, 'Job 17 (TEST) runs'],
    [
      { status: 'IN_PROGRESS', attempts: 2, progress: { fraction: 0.404, message: 'reading' } },
      'Job 17 (TEST) runs 40 %, reading (attempt 2)',
    ],
    [{ status: 'SUCCEEDED' }, 'Job 17 (TEST) succeeded'],
    [{ status: 'TIMED_OUT' }, 'Job 17 (TEST) timed out'],
  ])('describes %j as %s', (changes, text) => {
    expect(describeEvent(event(changes))).toBe(text);
  });
});
