import { z } from 'zod';

/** An event in our own words. */
export type ProcessorEvent =
  | { kind: 'task_stopped'; taskArn: string; reason: string }
  | { kind: 'task_changed'; taskArn: string; lastStatus: string }
  | { kind: 'schedule' };

const taskChange = z.object({
  'detail-type': z.literal('ECS Task State Change'),
  detail: z.object({
    taskArn: z.string().min(1).max(2048),
    lastStatus: z.string(),
    stoppedReason: z.string().optional(),
    stopCode: z.string().optional(),
  }),
});
const schedule = z.object({ 'detail-type': z.literal('Scheduled Event') });

/** What AWS (or the local compute adapter, in the same words) sent; undefined when it is no event we know. */
export function decodeEvent(raw: unknown): ProcessorEvent | undefined {
  const change = taskChange.safeParse(raw);
  if (change.success) {
    const { taskArn, lastStatus, stoppedReason, stopCode } = change.data.detail;
    if (lastStatus !== 'STOPPED') return { kind: 'task_changed', taskArn, lastStatus };
    return {
      kind: 'task_stopped',
      taskArn,
      reason: `the worker's task stopped: ${stoppedReason ?? stopCode ?? 'no reason given'}`,
    };
  }
  return schedule.safeParse(raw).success ? { kind: 'schedule' } : undefined;
}
