import { ServiceError } from '../contract/errors.js';
import { decodeEvent } from './decode.js';

export interface EventTargets {
  /** Puts back, or ends, what the task held. Idempotent: a task that holds nothing changes nothing. */
  taskStopped(taskArn: string, reason: string): Promise<readonly { id: number }[]>;
}

/** Applies one raw event. Applying it twice, late or out of order changes nothing twice. */
export async function processEvent(raw: unknown, targets: EventTargets): Promise<{ applied: boolean; jobs: number[] }> {
  const event = decodeEvent(raw);
  if (!event) throw new ServiceError('invalid', 'This is no event that the processor knows');
  if (event.kind !== 'task_stopped') return { applied: false, jobs: [] };
  const moved = await targets.taskStopped(event.taskArn, event.reason);
  return { applied: moved.length > 0, jobs: moved.map(({ id }) => id) };
}
