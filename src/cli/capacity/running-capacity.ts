import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { toDryRunCompute, toReadOnlyApi } from '../../capacity/manager/dry-run.js';
import { CapacityManager, type ManagerOptions, type ManagerStatus } from '../../capacity/manager/manager.js';
import { sleep } from '../../client/sleep.js';

export interface CapacityOptions {
  log: Logger;
  /** Decides and reports, but takes no lease and launches nothing. */
  dryRun?: boolean | undefined;
  onTurn?: ((status: ManagerStatus) => void) | undefined;
}

interface Parts
  extends CapacityOptions,
    Pick<ManagerOptions, 'api' | 'compute' | 'groups' | 'holder' | 'pollIntervalMs'> {
  /** Closes the compute. `finished` settles after the last turn, once the lease is released. */
  close(finished: Promise<void>): Promise<void>;
}

/** A capacity manager together with the compute that runs its workers. */
export class RunningCapacity {
  readonly manager: CapacityManager;
  readonly groups: string[];

  constructor(private readonly parts: Parts) {
    const { api, compute, dryRun, groups } = parts;
    this.groups = groups.map(({ name }) => name);
    this.manager = new CapacityManager({
      ...parts,
      api: dryRun ? toReadOnlyApi(api) : api,
      compute: dryRun ? toDryRunCompute(compute) : compute,
      now: Date.now,
      sleep,
      random: Math.random,
      newToken: randomUUID,
    });
  }

  /** Stops the manager, which releases its lease, and closes the compute. */
  async stop(): Promise<void> {
    this.manager.stop();
    await this.parts.close(this.manager.finished);
  }
}
