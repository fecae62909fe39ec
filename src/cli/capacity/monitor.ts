import { createServer } from 'node:http';
import { Gauge, Registry } from 'prom-client';
import type { CapacityManager, ManagerStatus } from '../../capacity/manager/manager.js';
import { SetupError } from '../../contract/errors.js';

/** Healthy while the last turn succeeded within ten poll intervals, and never asked to be faster than a long poll. */
export function isHealthy(
  { lastSuccessAt }: Pick<ManagerStatus, 'lastSuccessAt'>,
  pollIntervalMs: number,
  nowMs: number,
): boolean {
  return lastSuccessAt !== undefined && nowMs - lastSuccessAt <= 10 * pollIntervalMs;
}

/** `GET /health` and `GET /metrics` of the capacity manager. */
export async function startMonitor(
  manager: Pick<CapacityManager, 'status'>,
  options: { port: number; host: string; pollIntervalMs: number; now(): number },
): Promise<{ port: number; close(): Promise<void> }> {
  const registry = new Registry();
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames: ['group'], registers: [registry] });
  const pending = gauge('reefguide_capacity_pending', 'Waiting jobs by group');
  const desired = gauge('reefguide_capacity_desired', 'Desired workers by group');
  const actual = gauge('reefguide_capacity_actual', 'Existing workers by group');
  const active = new Gauge({
    name: 'reefguide_capacity_active',
    help: '1 while this manager acts',
    registers: [registry],
  });

  const server = createServer(async (request, response) => {
    const status = manager.status();
    if (request.url === '/health') {
      const healthy = isHealthy(status, options.pollIntervalMs, options.now());
      response.writeHead(healthy ? 200 : 503, { 'Content-Type': 'application/json' });
      const { active: acts, lastError } = status;
      response.end(JSON.stringify({ status: healthy ? 'ok' : 'failing', active: acts, lastError }));
      return;
    }
    if (request.url === '/metrics') {
      active.set(status.active ? 1 : 0);
      for (const group of status.groups) {
        pending.set({ group: group.group }, group.pending);
        desired.set({ group: group.group }, group.desired);
        actual.set({ group: group.group }, group.running);
      }
      response.writeHead(200, { 'Content-Type': registry.contentType });
      response.end(await registry.metrics());
      return;
    }
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const inUse = cause.code === 'EADDRINUSE';
      reject(
        new SetupError(inUse ? `Port ${options.port} is in use` : cause.message, {
          hint: 'Set PORT to a free one.',
          cause,
        }),
      );
    });
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
