import { rotate } from './poll-order.js';
import type { ClaimedJob, ClaimSlot } from './sql/claim.js';

export interface ClaimRequest extends ClaimSlot {
  types: readonly string[];
  waitMs: number;
  /** Aborted when the worker hangs up. */
  signal: AbortSignal;
}

export interface ClaimQueueOptions {
  /** Claims jobs for several slots. Each claimed job names a slot. */
  claim(types: readonly string[], slots: readonly ClaimSlot[]): Promise<ClaimedJob[]>;
  /** Requeues jobs claimed for a worker that hung up. */
  release(claimed: ClaimedJob[]): Promise<unknown>;
  /** Returns the milliseconds until the next poll. Polls find jobs whose notification was lost. */
  pollIntervalMs(): number;
  now(): number;
}

/** Limits the waiters served after a notification, because a single job must not cost thousands of waiters a turn. */
const maxNotifiedWaiters = 100;
const maxJobsPerStatement = 400;
/** Idle queues to keep, because a queue remembers which type comes first in the next claim of a lone worker. */
const maxIdleQueues = 200;
/** Deadline of a request that takes waiting jobs but does not wait. */
const expired = Number.NEGATIVE_INFINITY;

class Waiter {
  private readonly timer: NodeJS.Timeout | undefined;

  constructor(
    readonly request: ClaimRequest,
    /** Time in milliseconds. After the deadline the waiter takes waiting jobs but does not wait. */
    public deadline: number,
    private readonly promise: { resolve(jobs: ClaimedJob[]): void; reject(error: unknown): void },
    private readonly onGiveUp: () => void,
  ) {
    request.signal.addEventListener('abort', onGiveUp);
    if (request.waitMs > 0) this.timer = setTimeout(onGiveUp, request.waitMs);
  }

  resolve(jobs: ClaimedJob[]): void {
    this.stop();
    this.promise.resolve(jobs);
  }

  reject(error: unknown): void {
    this.stop();
    this.promise.reject(error);
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.request.signal.removeEventListener('abort', this.onGiveUp);
  }
}

/** Waiters for the same types, first come, first served. */
class TypesQueue {
  /** Waiters of the next statements. */
  queued: Waiter[] = [];
  /** Waiters without a job, to serve after a notification. */
  readonly waiting = new Set<Waiter>();
  isServing = false;
  /** Counts notifications, to notice a notification during a statement. */
  notifications = 0;
  private turn = 0;

  constructor(
    readonly key: string,
    readonly types: readonly string[],
  ) {}

  isIdle(): boolean {
    return !this.isServing && this.waiting.size === 0 && this.queued.length === 0;
  }

  /** Takes as many waiters as a single statement serves. */
  takeBatch(): Waiter[] {
    let jobs = 0;
    const end = this.queued.findIndex(({ request }, n) => {
      jobs += request.count;
      return n > 0 && jobs > maxJobsPerStatement;
    });
    return this.queued.splice(0, end < 0 ? this.queued.length : end);
  }

  /** Returns the types, rotated by one more than the last time, so also a single request takes the types in turn. */
  nextTypes(): string[] {
    this.turn = (this.turn + 1) % this.types.length;
    return rotate(this.types, this.turn);
  }

  enqueueWaiting(): void {
    for (const waiter of this.waiting) {
      if (this.queued.length >= maxNotifiedWaiters) break;
      this.waiting.delete(waiter);
      this.queued.push(waiter);
    }
  }

  /** Removes a waiter. Returns false once its statement has begun. */
  remove(waiter: Waiter): boolean {
    const rest = this.queued.filter((other) => other !== waiter);
    const removed = this.waiting.delete(waiter) || rest.length < this.queued.length;
    this.queued = rest;
    return removed;
  }
}

/**
 * Serves the claim requests of a process. Requests for the same types share a queue and are served together by one
 * statement, first come, first served. Requests without a job wait for a notification.
 */
export class ClaimQueue {
  private readonly queues = new Map<string, TypesQueue>();
  private closed = false;
  private pollTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ClaimQueueOptions) {}

  /** Resolves with up to `count` jobs: at once, or as soon as a job waits; with none when `waitMs` passed. */
  claim(request: ClaimRequest): Promise<ClaimedJob[]> {
    const queue = this.getQueue(request.types);
    return new Promise((resolve, reject) => {
      const deadline = this.closed ? expired : this.options.now() + request.waitMs;
      const waiter = new Waiter(request, deadline, { resolve, reject }, () => this.giveUp(queue, waiter));
      queue.queued.push(waiter);
      // Serves after the present turn of the event loop, so requests read from the network together share a statement.
      setImmediate(() => void this.serve(queue));
    });
  }

  /** Serves waiting requests for `type`, or for any type when undefined. */
  notify(type: string | undefined): void {
    for (const queue of this.queues.values()) {
      if (type !== undefined && !queue.types.includes(type)) continue;
      queue.notifications += 1;
      queue.enqueueWaiting();
      void this.serve(queue);
    }
  }

  countWaiting(): number {
    return [...this.queues.values()].reduce((sum, { waiting }) => sum + waiting.size, 0);
  }

  /** Answers every waiting request with no jobs, and later requests without waiting. */
  close(): void {
    this.closed = true;
    clearTimeout(this.pollTimer);
    for (const { waiting } of this.queues.values()) {
      for (const waiter of waiting) waiter.resolve([]);
      waiting.clear();
    }
  }

  private getQueue(requestedTypes: readonly string[]): TypesQueue {
    const types = [...new Set(requestedTypes)].sort();
    const key = types.join('\n');
    const queue = this.queues.get(key) ?? new TypesQueue(key, types);
    this.queues.set(key, queue);
    return queue;
  }

  private async serve(queue: TypesQueue): Promise<void> {
    if (queue.isServing) return;
    queue.isServing = true;
    while (queue.queued.length > 0) await this.serveBatch(queue);
    queue.isServing = false;
    this.removeIfIdle(queue);
  }

  private async serveBatch(queue: TypesQueue): Promise<void> {
    const waiters = queue.takeBatch();
    const { notifications } = queue;
    try {
      const requests = waiters.map(({ request }) => request);
      const claimed = await this.options.claim(queue.nextTypes(), requests);
      const { answers, unserved, orphaned } = assignToWaiters(waiters, claimed);
      for (const [waiter, jobs] of answers) waiter.resolve(jobs);
      if (orphaned.length > 0) void this.options.release(orphaned);
      for (const waiter of unserved) {
        if (queue.notifications !== notifications) queue.queued.push(waiter);
        else this.wait(queue, waiter);
      }
      if (unserved.length === 0) queue.enqueueWaiting();
    } catch (error) {
      for (const waiter of waiters) waiter.reject(error);
    }
  }

  private wait(queue: TypesQueue, waiter: Waiter): void {
    if (this.closed || waiter.deadline <= this.options.now()) {
      waiter.resolve([]);
      return;
    }
    queue.waiting.add(waiter);
    this.schedulePoll();
  }

  private schedulePoll(): void {
    this.pollTimer ??= setTimeout(() => {
      this.pollTimer = undefined;
      this.notify(undefined);
      if (this.countWaiting() > 0) this.schedulePoll();
    }, this.options.pollIntervalMs());
  }

  private giveUp(queue: TypesQueue, waiter: Waiter): void {
    if (queue.remove(waiter)) {
      waiter.resolve([]);
      this.removeIfIdle(queue);
    } else waiter.deadline = expired;
  }

  private removeIfIdle(queue: TypesQueue): void {
    if (this.queues.size <= maxIdleQueues || !queue.isIdle()) return;
    if (this.queues.get(queue.key) === queue) this.queues.delete(queue.key);
  }
}

interface Assigned<W> {
  /** Waiters to answer: with jobs, or with none when the worker hung up. */
  answers: [W, ClaimedJob[]][];
  /** Waiters without a job, which may wait on. */
  unserved: W[];
  /** Jobs claimed for workers that hung up. */
  orphaned: ClaimedJob[];
}

/** Splits claimed jobs by waiter: a job of slot 2 belongs to the waiter at index 2. */
export function assignToWaiters<W extends { request: Pick<ClaimRequest, 'signal'> }>(
  waiters: readonly W[],
  claimed: readonly ClaimedJob[],
): Assigned<W> {
  const jobsBySlot = waiters.map((): ClaimedJob[] => []);
  for (const job of claimed) jobsBySlot[job.slot]?.push(job);
  const assigned: Assigned<W> = { answers: [], unserved: [], orphaned: [] };
  for (const [slot, waiter] of waiters.entries()) {
    const jobs = jobsBySlot[slot] ?? [];
    if (waiter.request.signal.aborted) {
      assigned.orphaned.push(...jobs);
      assigned.answers.push([waiter, []]);
    } else if (jobs.length > 0) assigned.answers.push([waiter, jobs]);
    else assigned.unserved.push(waiter);
  }
  return assigned;
}
