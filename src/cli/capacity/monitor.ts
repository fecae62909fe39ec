import type { RequestListener } from 'node:http';
import { Gauge, Registry } from 'prom-client';
import type { CapacityManager, ManagerStatus } from '../../capacity/manager/manager.js';
import { type Listening, listen } from '../../server/http/listen.js';

interface MonitorOptions {
  port: number;
  host: string;
  pollIntervalMs: number;
  now(): number;
}

/** Starts `GET /health` and `GET /metrics` of the capacity manager. */
export function startMonitor(
  manager: Pick<CapacityManager, 'status'>,
  { port, host, pollIntervalMs, now }: MonitorOptions,
): Promise<Listening> {
  const metrics = new ManagerMetrics();
  const handle: RequestListener = async ({ url }, response) => {
    const status = manager.status();
    if (url === '/health') {
      const { active, lastError } = status;
      const healthy = isHealthy(status, pollIntervalMs, now());
      response.writeHead(healthy ? 200 : 503, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ status: healthy ? 'ok' : 'failing', active, lastError }));
    } else if (url === '/metrics') {
      response.writeHead(200, { 'Content-Type': metrics.registry.contentType });
      response.end(await metrics.format(status));
    } else response.writeHead(404).end();
  };
  return listen(handle, port, host, undefined, 0);
}

/** Returns whether the last turn succeeded within ten poll intervals; false before the first turn. */
export function isHealthy(
  { lastSuccessAt }: Pick<ManagerStatus, 'lastSuccessAt'>,
  pollIntervalMs: number,
  nowMs: number,
): boolean {
  return lastSuccessAt !== undefined && nowMs - lastSuccessAt <= 10 * pollIntervalMs;
}

/** Prometheus metrics of a capacity manager. */
class ManagerMetrics {
  readonly registry = new Registry();
  private readonly pending = this.addGroupGauge('reefguide_capacity_pending', 'Waiting jobs by group');
  private readonly desired = this.addGroupGauge('reefguide_capacity_desired', 'Desired workers by group');
  private readonly actual = this.addGroupGauge('reefguide_capacity_actual', 'Existing workers by group');
  private readonly active = new Gauge({
    name: 'reefguide_capacity_active',
    help: '1 while this manager acts',
    registers: [this.registry],
  });

  format({ active, groups }: ManagerStatus): Promise<string> {
    this.active.set(active ? 1 : 0);
    for (const { group, pending, desired, running } of groups) {
      this.pending.set({ group }, pending);
      this.desired.set({ group }, desired);
      this.actual.set({ group }, running);
    }
    return this.registry.metrics();
  }

  private addGroupGauge(name: string, help: string): Gauge<'group'> {
    return new Gauge({ name, help, labelNames: ['group'], registers: [this.registry] });
  }
}
