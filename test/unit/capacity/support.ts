import pino, { type Logger } from 'pino';
import type { Scaling } from '../../../src/capacity/decision.js';
import type { WorkerGroup } from '../../../src/capacity/groups.js';
import { ApiError } from '../../../src/client/api.js';
import type { Task } from '../../../src/compute/contract.js';

/** A log whose lines a test can look at. */
export function collectingLog(): { log: Logger; lines: { level: number; msg: string; group?: string }[] } {
  const lines: { level: number; msg: string; group?: string }[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  return { log, lines };
}

export const group = (name: string, scaling: Partial<Scaling> = {}, jobTypes = [name.toUpperCase()]): WorkerGroup => ({
  name,
  jobTypes,
  scaling: {
    min: 0,
    max: 100,
    factor: 1,
    sensitivity: 100,
    cooldownSeconds: 0,
    policy: { kind: 'logarithmic' },
    ...scaling,
  },
});

export const task = (arn: string, ofGroup = 'a'): Task => ({
  arn,
  group: ofGroup,
  lastStatus: 'RUNNING',
  startedAt: undefined,
});

export const refusal = (status: number, body: Record<string, unknown> = {}) =>
  new ApiError(status, `answered ${status}`, { body });
