import { assembleOnLambda, onceMade } from './on-lambda.js';

const ready = onceMade(assembleOnLambda);

/**
 * The event processor as a function that EventBridge invokes. What it throws (the database is away) is delivered again, and
 * kept in the dead-letter queue at last.
 */
export async function handler(event: unknown): Promise<{ applied: boolean; jobs: number[] }> {
  const { service } = await ready();
  return service.processEvent(event);
}
