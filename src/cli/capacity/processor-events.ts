import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskStoppedEvent } from '../../compute/local/stopped-event.js';
import { backoffMs } from '../../platform/backoff.js';

export interface Processor {
  processorUrl: string;
  processorToken: string | undefined;
}

const maxAttempts = 4;
const requestTimeoutMs = 5_000;
const backoff = { minMs: 400, maxMs: 1_600 };

/** Posts an event in the format of EventBridge to the event processor, and retries while the processor is down. */
export async function sendTaskStopped(processor: Processor, event: TaskStoppedEvent): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await postEvent(processor, event);
    } catch (error) {
      if (attempt === maxAttempts) throw error;
      await sleep(backoffMs(attempt, backoff));
    }
  }
}

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
