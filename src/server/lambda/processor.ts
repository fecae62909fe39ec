import { ServiceError } from '../../contract/errors.js';
import type { EventOutcome } from '../../contract/processor.js';
import { assembleOnLambda, shareResult } from './assemble.js';

const getInstance = shareResult(assembleOnLambda);

/**
 * Applies an event of EventBridge, which delivers the event again after an error and finally to the dead-letter queue. Drops
 * and logs an event of an unknown kind, because a repetition would fail again.
 */
export async function handler(event: unknown): Promise<EventOutcome> {
  const { service, log } = await getInstance();
  try {
    return await service.processEvent(event);
  } catch (error) {
    if (!(error instanceof ServiceError && error.kind === 'invalid')) throw error;
    log.error({ err: error, event: getId(event) }, 'dropped an event of an unknown kind');
    return { applied: false, jobs: [], executions: [], stored: 0 };
  }
}

/** Closes the instance. For tests alone, because Lambda only freezes an instance. */
export async function close(): Promise<void> {
  await (await getInstance()).close();
}

const getId = (event: unknown): unknown =>
  typeof event === 'object' && event !== null ? Reflect.get(event, 'id') : undefined;
