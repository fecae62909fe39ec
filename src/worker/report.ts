import pRetry from 'p-retry';
import type { Logger } from 'pino';
import type { Api } from '../client/api.js';
import { ApiError } from '../client/api-error.js';
import type { HandlerResult } from './handler.js';

/** Retries for 78 seconds in all, because a result must survive a restart of the API. */
const retries = { retries: 11, minTimeout: 200, maxTimeout: 10_000, factor: 2 };

/** Reports a result until recorded or refused. Reports a failure for a result that breaks the schema of its type. */
export async function reportUntilRecorded(
  api: Pick<Api, 'report'>,
  log: Logger,
  assignmentId: number,
  { status, payload }: HandlerResult,
): Promise<void> {
  try {
    await pRetry(() => api.report(assignmentId, status, payload), {
      ...retries,
      shouldRetry: ({ error }) => error instanceof ApiError && error.isTransient,
    });
    log.info({ status }, 'job reported');
  } catch (error) {
    if (error instanceof ApiError && error.status === 400 && status === 'SUCCEEDED') {
      const problem = error.issues.map((issue) => `${issue.path} ${issue.message}`).join('; ') || error.message;
      log.error({ problem }, 'the result does not fit its type');
      const payload = { error: `the result does not fit its type: ${problem}` };
      await reportUntilRecorded(api, log, assignmentId, { status: 'FAILED', payload });
    } else if (error instanceof ApiError && error.isTransient) {
      log.error({ err: error }, 'the result could not be reported');
    } else {
      log.warn({ err: error }, 'the result was refused');
    }
  }
}
