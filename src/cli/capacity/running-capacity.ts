import type { CapacityManager } from '../../capacity/manager/manager.js';
import type { WorkerGroup } from '../../capacity/manager/workers-file.js';

/** A capacity manager with the provider on which the manager launches workers. */
export interface Capacity {
  manager: CapacityManager;
  groups: string[];
  /** Stops the manager, which then releases its lease, and everything that must not outlive the manager. */
  stop(): Promise<void>;
}

/** `end` receives a promise that settles when the last turn has finished and the lease is released. */
export function stoppable(
  manager: CapacityManager,
  groups: readonly WorkerGroup[],
  end: (finished: Promise<void>) => Promise<void>,
): Capacity {
  return {
    groups: groups.map(({ name }) => name),
    manager,
    async stop() {
      manager.stop();
      await end(manager.finished);
    },
  };
}
