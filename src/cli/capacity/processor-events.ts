import pRetry from 'p-retry';
import type { TaskStoppedEvent } from '../../compute/local/stopped-event.js';
import type { LocalCapacitySettings } from './find-local.js';

type Processor = Pick<LocalCapacitySettings, 'processorUrl' | 'processorToken'>;

/** Four attempts, after pauses of 200, 400 and 800 ms. */
const retry = { retries: 3, minTimeout: 200, factor: 2 };

/** Posts an event in the format of EventBridge to the event processor, and retries while the processor is down. */
export const sendTaskStopped = (processor: Processor, event: TaskStoppedEvent): Promise<void> =>
  pRetry(() => postEvent(processor, event), retry);

async function postEvent({ processorUrl, processorToken }: Processor, event: TaskStoppedEvent): Promise<void> {
  const authorization: Record<string, string> = processorToken ? { authorization: `Bearer ${processorToken}` } : {};
  const response = await fetch(`${processorUrl}/process`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization },
    body: JSON.stringify(event),
    signal: AbortSignal.timeout(5_000),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the event processor answered ${response.status}`);
}
