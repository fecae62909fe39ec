import type { Compute, Task } from '../../compute/provider.js';

/** Maximum age of a reused list; lists are reused because providers limit the rate of calls. */
export const listTtlMs = 1_000;

/** Lists the tasks of all groups. Reuses a list of the last second while no group has tasks to launch. */
export class TaskList {
  private last: { tasks: Task[]; listedAtMs: number } | undefined;
  /** True when the last `read` returned an earlier list. */
  wasReused = false;

  constructor(
    private readonly compute: Compute,
    private readonly groups: readonly string[],
    private readonly now: () => number,
  ) {}

  async read({ mayReuse }: { mayReuse: boolean }): Promise<Task[]> {
    const { last, compute } = this;
    const isFresh = last && !compute.listsAtOnce && this.now() - last.listedAtMs < listTtlMs;
    this.wasReused = isFresh === true && mayReuse;
    if (last && this.wasReused) return last.tasks;
    const listedAtMs = this.now();
    const tasks = await compute.list(this.groups);
    this.last = { tasks, listedAtMs };
    return tasks;
  }
}
