import { findRequestLog, removeOldRequestLog, storeRequestLog } from '../audit/request-log.js';
import { traceRequest } from '../audit/traces.js';
import { ApiGatewaySockets } from '../aws/api-gateway-sockets.js';
import { CloudWatchLogs } from '../aws/cloudwatch-logs.js';
import { socketPath } from '../contract/paths.js';
import type { Notifications } from '../database/notifications.js';
import type { ProcessorEvent } from '../events/decode.js';
import type { EventHandlers } from '../events/process.js';
import { listImagesOfRequest, seedDefaultImage } from '../executions/images/images.js';
import { LogFeeds } from '../executions/logs/feed.js';
import { GatewaySubscribers } from '../executions/logs/gateway-subscribers.js';
import { LogStore } from '../executions/logs/store.js';
import { LogTokens } from '../executions/logs/tokens.js';
import { encodeMessages } from '../executions/logs/websocket-frames.js';
import { AttachedExecutions } from '../executions/runs/attached.js';
import { type AccountCheck, reconcile } from '../executions/runs/reconcile.js';
import { listExecutionsOfRequest, readExecutionEnd } from '../executions/runs/sql.js';
import { TaskEvents } from '../executions/runs/task-events.js';
import { Transitions } from '../executions/runs/transitions.js';
import { listSecretsOfRequest } from '../executions/secrets/secrets.js';
import type { ServiceDependencies } from './dependencies.js';
import type { Http } from './http/routes.js';
import { LogSocket } from './log-socket.js';
import { addExecutionRoutes, addImageRoutes } from './routes/executions.js';
import { addHealthRoutes } from './routes/health.js';
import { addSecretRoutes } from './routes/secrets.js';

export interface ExecutionServiceDependencies extends ServiceDependencies {
  notifications: Notifications;
  checkAccounts(): Promise<AccountCheck>;
  onError(error: unknown): void;
}

/** A stopping server waits at most so long to record the ends of its commands. */
const recordEndsTimeoutMs = 2_000;

/** Builds the services behind `/api/v1`, the API that flags and documents call the orchestrator. */
export function createExecutionServices(deps: ExecutionServiceDependencies) {
  const { environment, log, database, notifications, encryption, runner, checkAccounts, onError, now } = deps;
  const transitions = new Transitions(database, notifications);
  const logs = new LogStore(database, notifications);
  const tokens = new LogTokens(database);
  const base = { database, transitions, logs, runner, encryption, log, now };
  const attached = new AttachedExecutions({ ...base, notifications });
  const taskEvents = new TaskEvents(base);
  const gateway = new ApiGatewaySockets(deps.aws, environment.WEBSOCKET_API_ENDPOINT);
  const gatewaySubscribers = new GatewaySubscribers({ database, logs, tokens, gateway, log, now });
  const logGroups = environment.LOG_GROUP_NAMES;
  const cloudLogs = logGroups.length > 0 ? new CloudWatchLogs(deps.aws, logGroups, now) : undefined;
  // Without log groups in CloudWatch, the log lines of requests are stored in the database.
  if (!cloudLogs) deps.requestLog?.attach((lines) => storeRequestLog(database, lines));
  const readEnd = (executionId: string) => readExecutionEnd(database, executionId);
  const feeds = new LogFeeds({ logs, readEnd, notifications, encode: encodeMessages, onError });
  const logSocket = new LogSocket({ feeds, logs, tokens, log });
  const services = { deps, base, logs, tokens, attached, taskEvents, gatewaySubscribers, cloudLogs, feeds, logSocket };
  return { ...services, reconcile: () => reconcile({ ...base, taskEvents, attached, checkAccounts }) };
}
export type ExecutionServices = ReturnType<typeof createExecutionServices>;

export function addExecutionApi(http: Http, services: ExecutionServices): void {
  const { base, attached, cloudLogs, deps } = services;
  const { database } = base;
  addExecutionRoutes(http, { ...base, attached }, (executionId, apiUrl) =>
    createSocketUrl(services, executionId, apiUrl),
  );
  addImageRoutes(http, base);
  addSecretRoutes(http, base);
  const traceDependencies = {
    findLog: (requestId: string) => cloudLogs?.find(requestId) ?? findRequestLog(database, requestId),
    findResources: {
      executions: (requestId: string) => listExecutionsOfRequest(database, requestId),
      images: (requestId: string) => listImagesOfRequest(database, requestId),
      secrets: (requestId: string) => listSecretsOfRequest(database, requestId),
    },
  };
  addHealthRoutes(http, {
    reconcile: services.reconcile,
    async trace(requestId) {
      // The newest lines may still be in memory.
      await deps.requestLog?.flush();
      return traceRequest(traceDependencies, requestId);
    },
  });
}

/** Returns the URL of one WebSocket, with a new token: `ws://localhost:5000/ws?token=log_…`. */
async function createSocketUrl({ deps, tokens }: ExecutionServices, executionId: string, apiUrl: string) {
  const endpoint = deps.environment.WEBSOCKET_API_ENDPOINT ?? `${apiUrl.replace(/^http/, 'ws')}${socketPath}`;
  return `${endpoint}?token=${await tokens.issue(executionId)}`;
}

/** Returns the handlers of the event processor for executions and log subscribers. */
export function createExecutionEventHandlers(services: ExecutionServices): Omit<EventHandlers, 'requeueJobs'> {
  const { taskEvents, gatewaySubscribers, deps } = services;
  return {
    recordRunning: (task) => taskEvents.recordRunning(task),
    async recordStopped(...args) {
      const change = await taskEvents.recordStopped(...args);
      if (change?.applied) await gatewaySubscribers.sendToAll(change.executionId);
      return change;
    },
    async storeLines(...args) {
      const stored = await taskEvents.storeLines(...args);
      if (stored) await gatewaySubscribers.sendToAll(stored.executionId);
      return stored;
    },
    addSubscriber: (event) => gatewaySubscribers.add(event),
    sendToSubscriber: (connectionId) => gatewaySubscribers.sendTo(connectionId),
    removeSubscriber: (connectionId) => gatewaySubscribers.remove(connectionId),
    maintain: () => runHourlyMaintenance(services),
    onUnknown: (event) =>
      deps.log.info({ event: event.kind, ...toTaskFields(event) }, 'ignored an event of an unknown task'),
  };
}

const toTaskFields = (event: ProcessorEvent) => {
  if ('task' in event) return { taskArn: event.task.arn };
  return 'taskId' in event ? { taskId: event.taskId } : {};
};

/** Removes expired rows and reconciles. Each step runs even when another fails; then the first error is thrown. */
export async function runHourlyMaintenance(services: ExecutionServices): Promise<void> {
  const { base, tokens, gatewaySubscribers, logs, reconcile, deps } = services;
  const logDays = deps.environment.EXECUTION_LOG_DAYS;
  const results = await Promise.allSettled([
    removeOldRequestLog(base.database),
    tokens.removeExpired(),
    gatewaySubscribers.removeOld(),
    logDays > 0 ? logs.removeOld(logDays) : undefined,
    reconcile(),
  ]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Registers the default image of a new deployment. On a local runner, ends executions that a killed server left running. */
export async function prepareExecutions({ base, reconcile, deps }: ExecutionServices): Promise<void> {
  const { EXECUTION_IMAGE: image, EXECUTION_CPU: cpu, EXECUTION_MEMORY: memory } = deps.environment;
  // The server starts even when the provider refuses the image.
  await seedDefaultImage(base, { image, cpu, memory }).catch((error: unknown) =>
    deps.log.error({ err: error, image }, 'could not register the default image'),
  );
  if (deps.runner?.platform === 'local') await reconcile();
}

/** Stops the commands of local processes, records the end of each, and flushes the request log. */
export async function closeExecutions({ attached, deps }: ExecutionServices): Promise<void> {
  await deps.runner?.close();
  await attached.close(recordEndsTimeoutMs);
  await deps.requestLog?.close();
}
