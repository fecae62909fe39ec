import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { CapacityStore } from '../../capacity/store.js';
import type { Database } from '../../database/database.js';
import { readDemand } from '../../jobs/sql/demand.js';
import { countJobs } from '../../jobs/sql/read.js';

/** Counting every job reads the whole table: a scrape within this time gets the figures of the last. */
const countEveryMs = 15_000;

export interface Metrics {
  observeRequest(labels: { method: string; route: string; status: number }, seconds: number): void;
  /** Seconds from a job's creation to its claim. */
  observeClaim(type: string, seconds: number): void;
  text(): Promise<string>;
  readonly contentType: string;
}

export function createMetrics(deps: {
  database: Database;
  capacity: CapacityStore;
  waitingClaims(): number;
  /** Live executions by status. */
  liveExecutions(): Promise<Record<string, number>>;
  logSubscribers(): number;
  now(): number;
}): Metrics {
  const { database } = deps;
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'reefguide_http_requests_total',
    help: 'Requests by route and status',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const latency = new Histogram({
    name: 'reefguide_http_request_duration_seconds',
    help: 'Time to answer; long polls wait by design',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const claims = new Histogram({
    name: 'reefguide_job_claim_latency_seconds',
    help: 'From the creation of a job to its claim',
    labelNames: ['type'],
    buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30, 60, 300, 1800, 3600],
    registers,
  });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers });
  const jobs = gauge('reefguide_jobs', 'Jobs by type and status', ['type', 'status']);
  const depth = gauge('reefguide_queue_depth', 'Waiting jobs by type', ['type']);
  const oldest = gauge('reefguide_queue_oldest_seconds', 'Wait of the oldest waiting job by type', ['type']);
  const workers = gauge('reefguide_workers', 'Workers by group and state', ['group', 'state']);
  const desired = gauge('reefguide_capacity_desired', 'Desired workers by group', ['group']);
  const actual = gauge('reefguide_capacity_actual', 'Existing workers by group', ['group']);
  const waiting = gauge('reefguide_claims_waiting', 'Claims that wait for a job in this process');
  const executions = gauge('reefguide_executions', 'Live executions by status', ['status']);
  const subscribers = gauge('reefguide_log_subscribers', 'WebSockets of this process that listen to logs');
  const pool = gauge('reefguide_database_connections', 'Connections of the database pool by state', ['state']);
  let countedAt = Number.NEGATIVE_INFINITY;

  const collect = async () => {
    pool.set({ state: 'total' }, database.pool.totalCount);
    pool.set({ state: 'idle' }, database.pool.idleCount);
    pool.set({ state: 'waiting' }, database.pool.waitingCount);
    waiting.set(deps.waitingClaims());
    subscribers.set(deps.logSubscribers());
    const [demand, status, live] = await Promise.all([
      readDemand(database),
      deps.capacity.status(),
      deps.liveExecutions(),
    ]);
    for (const [state, count] of Object.entries(live)) executions.set({ status: state }, count);
    for (const each of [depth, oldest]) each.reset();
    for (const { type, pending, oldestPendingSeconds } of demand.types) {
      depth.set({ type }, pending);
      oldest.set({ type }, oldestPendingSeconds);
    }
    for (const each of [workers, desired, actual]) each.reset();
    for (const { group, running, inProgress, desired: wanted } of status.groups) {
      workers.set({ group, state: 'busy' }, Math.min(running, inProgress));
      workers.set({ group, state: 'idle' }, Math.max(0, running - inProgress));
      desired.set({ group }, wanted);
      actual.set({ group }, running);
    }
    if (deps.now() - countedAt < countEveryMs) return;
    countedAt = deps.now();
    const counts = await countJobs(database);
    jobs.reset();
    for (const { type, status: state, count } of counts) jobs.set({ type, status: state }, count);
  };

  return {
    contentType: registry.contentType,
    observeRequest(labels, seconds) {
      requests.inc(labels);
      latency.observe(labels, seconds);
    },
    observeClaim: (type, seconds) => claims.observe({ type }, seconds),
    async text() {
      // Without the database the process's own figures are still worth having.
      await collect().catch(() => {});
      return registry.metrics();
    },
  };
}
