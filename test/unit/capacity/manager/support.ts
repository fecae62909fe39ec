import pino, { type Logger } from 'pino';
import { CapacityManager, type ManagerOptions } from '../../../../src/capacity/manager/manager.js';
import type { Scaling } from '../../../../src/capacity/manager/scaling.js';
import type { WorkerGroup } from '../../../../src/capacity/manager/workers-file.js';
import { createApi } from '../../../../src/client/api.js';
import { ApiError } from '../../../../src/client/api-error.js';
import { sleep } from '../../../../src/client/sleep.js';
import type { Compute, Task } from '../../../../src/compute/provider.js';
import type { GroupReport } from '../../../../src/contract/capacity.js';

/** Returns a log and the lines that were written to the log. */
export function collectLog(): { log: Logger; lines: { level: number; msg: string; group?: string }[] } {
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

export const task = (arn: string, groupName = 'a'): Task => ({
  arn,
  group: groupName,
  lastStatus: 'RUNNING',
  startedAt: undefined,
});

export const refusal = (status: number, body: Record<string, unknown> = {}) =>
  new ApiError(status, `answered ${status}`, { body });

/** Returns an API in memory, with the demand that a test sets, and a function that makes managers of this API. */
export function makeApi(groups: readonly WorkerGroup[]) {
  const clock = { ms: 1_000_000 };
  const demand: Record<string, { pending: number; inProgress: number }> = {};
  const reports: { groups: GroupReport[]; lastError: string | null }[] = [];
  /** Errors with which the API answers. */
  const server: { lease?: unknown; demand?: unknown; report?: unknown } = {};
  const { log, lines } = collectLog();
  let tokens = 0;
  const api = {
    ...createApi({ baseUrl: 'http://127.0.0.1:1', credentials: { kind: 'none' } }),
    async takeLease() {
      if (server.lease) throw server.lease;
      return { held: true as const, expiresAt: '' };
    },
    releaseLease: async () => {},
    async demand() {
      if (server.demand) throw server.demand;
      return {
        version: String(clock.ms),
        types: Object.entries(demand).map(([type, counts]) => ({ type, ...counts, oldestPendingSeconds: 0 })),
      };
    },
    async reportCapacity(_holder: string, reported: GroupReport[], lastError: string | null) {
      if (server.report) throw server.report;
      reports.push({ groups: reported, lastError });
      return { recorded: reported.length };
    },
  };
  const make = (compute: Compute, changes: Partial<ManagerOptions> = {}) =>
    new CapacityManager({
      api,
      compute,
      groups,
      holder: 'me',
      pollIntervalMs: 3000,
      log,
      now: () => clock.ms,
      sleep,
      random: () => 1,
      newToken: () => `token-${tokens++}`,
      ...changes,
    });
  return { clock, demand, reports, server, log, lines, make };
}
