import type { Manager } from '../../capacity/manager/manager.js';
import type { WorkerGroup } from '../../capacity/manager/workers-file.js';

/** A capacity manager with what it launches on, whatever that is. */
export interface Capacity {
  manager: Manager;
  groups: string[];
  /** Stops the manager, which gives up its lease, and what must not outlive it. */
  stop(): Promise<void>;
}

/** `end` is told when the manager's last turn has finished and its lease is given up. */
export function stoppable(
  manager: Manager,
  groups: readonly WorkerGroup[],
  end: (finished: Promise<void>) => Promise<void>,
): Capacity {
  let finished = Promise.resolve();
  const watched = (made: Promise<void>) => {
    // Whoever asked for it hears of its failure.
    finished = made.catch(() => {});
    return made;
  };
  return {
    groups: groups.map(({ name }) => name),
    manager: { ...manager, run: () => watched(manager.run()), once: () => watched(manager.once()) },
    async stop() {
      manager.stop();
      await end(finished);
    },
  };
}
