import pRetry from 'p-retry';
import type { TaskStoppedEvent } from '../../compute/local/stopped-event.js';

export interface Processor {
  processorUrl: string;
  processorToken: string | undefined;
}

const requestTimeoutMs = 5_000;
/** Four attempts, after pauses of 200, 400 and 800 ms. */
const retry = { retries: 3, minTimeout: 200, factor: 2 };

/** Posts an event in the format of EventBridge to the event processor, and retries while the processor is down. */
export const sendTaskStopped = (processor: Processor, event: TaskStoppedEvent): Promise<void> =>
  pRetry(() => postEvent(processor, event), retry);

async function postEvent({ processorUrl, processorToken }: Processor, event: TaskStoppedEvent): Promise<void> {
  const response = await fetch(`${processorUrl}/process`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(processorToken ? { authorization: `Bearer ${processorToken}` } : {}),
    },
    body: JSON.stringify(event),
    signal: AbortSignal.timeout(requestTimeoutMs),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the event processor answered ${response.status}`);
}
