import type { Demand } from '../contract/jobs.js';
import { readOnChange } from '../database/subscription.js';
import type { JobDependencies } from './dependencies.js';
import { readDemand } from './sql/demand.js';

/** Milliseconds to wait after a change, to answer a burst of changes once. */
const settleMs = 50;

/** Returns the demand: at once, or as soon as the version is no longer `version`, or when `waitMs` passed. */
export async function waitForDemand(
  { database, notifications, now }: JobDependencies,
  { waitMs, version }: { waitMs: number; version: string | undefined },
  signal: AbortSignal,
): Promise<Demand> {
  let demand!: Demand;
  const reads = readOnChange(notifications, { topics: ['demand'], waitMs, settleMs, signal, now }, () =>
    readDemand(database),
  );
  for await (demand of reads) if (demand.version !== version) break;
  return demand;
}
