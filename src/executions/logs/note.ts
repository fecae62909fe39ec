import { randomBytes } from 'node:crypto';
import type { LogEvent } from '../../contract/executions.js';

/** Returns a line of our own for the log of a command: `stopped` → `[reefguide] stopped`. */
export const toNoteLine = (text: string) => `[reefguide] ${text}`;

/** Returns a log event with a line of our own, under a unique id. */
export const toNote = (executionId: string, text: string, timestamp: number): LogEvent => ({
  event_id: `${executionId}-note-${randomBytes(6).toString('hex')}`,
  timestamp,
  message: toNoteLine(text),
});
