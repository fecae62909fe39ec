import type { WorkerGroup } from '../capacity/groups.js';
import type { Manager } from '../capacity/manager.js';

/** A capacity manager with what it launches on, whatever that is. */
export interface Capacity {
  manager: Manager;
  groups: string[];
  /** Stops the manager, which gives up its lease, and what must not outlive it. */
  stop(): Promise<void>;
}

/** `end` is told when the manager's last turn has finished. */
export function stoppable(
  manager: Manager,
  groups: readonly WorkerGroup[],
  end: (finished: Promise<void>) => Promise<void>,
): Capacity {
  let finished = Promise.resolve();
  return {
    groups: groups.map(({ name }) => name),
    manager: {
      ...manager,
      run() {
        finished = manager.run();
        return finished;
      },
    },
    async stop() {
      manager.stop();
      await end(finished);
    },
  };
}
