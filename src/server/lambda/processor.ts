import { ServiceError } from '../../contract/errors.js';
import type { EventOutcome } from '../../contract/processor.js';
import { assembleOnLambda, onceMade } from './assemble.js';

const ready = onceMade(assembleOnLambda);

/**
 * The event processor as a function that EventBridge invokes. What it throws (the database is away) is delivered again, and
 * kept in the dead-letter queue at last. An event that it does not know stays unknown, however often it comes: it is
 * logged, and is done with.
 */
export async function handler(event: unknown): Promise<EventOutcome> {
  const { service, log } = await ready();
  try {
    return await service.processEvent(event);
  } catch (error) {
    if (!(error instanceof ServiceError && error.kind === 'invalid')) throw error;
    log.error({ err: error, event: idOf(event) }, 'the event is left out');
    return { applied: false, jobs: [], executions: [], stored: 0 };
  }
}

/** Ends the instance. Lambda freezes it and never asks for that; a test does. */
export async function close(): Promise<void> {
  await (await ready()).close();
}

const idOf = (event: unknown): unknown =>
  typeof event === 'object' && event !== null ? Reflect.get(event, 'id') : undefined;
