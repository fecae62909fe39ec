import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { readCapacityStatus } from '../../capacity/store.js';
import type { Database } from '../../database/database.js';
import { countJobs, readDemand } from '../../jobs/sql/demand.js';

/** Least time between two counts of all jobs, because a count reads the whole table. */
const countIntervalMs = 15_000;

const requestLabels = ['method', 'route', 'status'] as const;
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const claimBuckets = [0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30, 60, 300, 1800, 3600];

export interface MetricsDependencies {
  database: Database;
  /** Counts waiting claims in this process. */
  countWaitingClaims(): number;
  /** Live executions by status, for example `{ RUNNING: 2 }`. */
  countLiveExecutions(): Promise<Record<string, number>>;
  /** Counts WebSockets of this process. */
  countLogSubscribers(): number;
  now(): number;
}

/** Prometheus metrics of the API: counts each request at its end, and reads all else when scraped. */
export class Metrics {
  private readonly registry = new Registry();
  private readonly registers = [this.registry];
  private readonly requests = new Counter({
    name: 'reefguide_http_requests_total',
    help: 'Requests by route and status',
    labelNames: requestLabels,
    registers: this.registers,
  });
  private readonly requestSeconds = new Histogram({
    name: 'reefguide_http_request_duration_seconds',
    help: 'Time to answer; long polls wait by design',
    labelNames: requestLabels,
    buckets: requestBuckets,
    registers: this.registers,
  });
  private readonly claimSeconds = new Histogram({
    name: 'reefguide_job_claim_latency_seconds',
    help: 'Time from the creation of a job to its claim',
    labelNames: ['type'],
    buckets: claimBuckets,
    registers: this.registers,
  });
  private readonly jobs = this.gauge('reefguide_jobs', 'Jobs by type and status', ['type', 'status']);
  private readonly queueDepth = this.gauge('reefguide_queue_depth', 'Waiting jobs by type', ['type']);
  private readonly oldestSeconds = this.gauge(
    'reefguide_queue_oldest_seconds',
    'Waiting time of the oldest waiting job by type',
    ['type'],
  );
  private readonly workers = this.gauge('reefguide_workers', 'Workers by group and state', ['group', 'state']);
  private readonly desired = this.gauge('reefguide_capacity_desired', 'Desired workers by group', ['group']);
  private readonly actual = this.gauge('reefguide_capacity_actual', 'Existing workers by group', ['group']);
  private readonly waitingClaims = this.gauge('reefguide_claims_waiting', 'Claims that wait for a job in this process');
  private readonly executions = this.gauge('reefguide_executions', 'Live executions by status', ['status']);
  private readonly subscribers = this.gauge('reefguide_log_subscribers', 'WebSockets of this process that follow logs');
  private readonly connections = this.gauge(
    'reefguide_database_connections',
    'Connections of the database pool by state',
    ['state'],
  );
  private countedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly deps: MetricsDependencies) {
    collectDefaultMetrics({ register: this.registry });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  observeRequest(labels: { method: string; route: string; status: number }, seconds: number): void {
    this.requests.inc(labels);
    this.requestSeconds.observe(labels, seconds);
  }

  /** Records the seconds from a job's creation to its claim. */
  observeClaim(type: string, seconds: number): void {
    this.claimSeconds.observe({ type }, seconds);
  }

  /** Returns the metrics in the text format. Without the database, only the figures of the process are current. */
  async text(): Promise<string> {
    this.collectProcess();
    await this.collectDatabase().catch(() => {});
    return this.registry.metrics();
  }

  private gauge<L extends string = never>(name: string, help: string, labelNames: L[] = []): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: this.registers });
  }

  private collectProcess(): void {
    const { totalCount, idleCount, waitingCount } = this.deps.database.pool;
    this.connections.set({ state: 'total' }, totalCount);
    this.connections.set({ state: 'idle' }, idleCount);
    this.connections.set({ state: 'waiting' }, waitingCount);
    this.waitingClaims.set(this.deps.countWaitingClaims());
    this.subscribers.set(this.deps.countLogSubscribers());
  }

  private async collectDatabase(): Promise<void> {
    const [demand, capacity, executions] = await Promise.all([
      readDemand(this.deps.database),
      readCapacityStatus(this.deps.database),
      this.deps.countLiveExecutions(),
    ]);
    for (const [status, count] of Object.entries(executions)) this.executions.set({ status }, count);
    for (const gauge of [this.queueDepth, this.oldestSeconds]) gauge.reset();
    for (const { type, pending, oldestPendingSeconds } of demand.types) {
      this.queueDepth.set({ type }, pending);
      this.oldestSeconds.set({ type }, oldestPendingSeconds);
    }
    for (const gauge of [this.workers, this.desired, this.actual]) gauge.reset();
    for (const { group, running, inProgress, desired } of capacity.groups) {
      this.workers.set({ group, state: 'busy' }, Math.min(running, inProgress));
      this.workers.set({ group, state: 'idle' }, Math.max(0, running - inProgress));
      this.desired.set({ group }, desired);
      this.actual.set({ group }, running);
    }
    await this.collectJobCounts();
  }

  private async collectJobCounts(): Promise<void> {
    if (this.deps.now() - this.countedAt < countIntervalMs) return;
    this.countedAt = this.deps.now();
    const counts = await countJobs(this.deps.database);
    this.jobs.reset();
    for (const { type, status, count } of counts) this.jobs.set({ type, status }, count);
  }
}
