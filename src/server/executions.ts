import { createServerLogs, createTraces } from '../audit/traces.js';
import { createSocketGateway } from '../aws/api-gateway-sockets.js';
import { createCloudLogs } from '../aws/cloudwatch-logs.js';
import { socketPath } from '../contract/paths.js';
import type { Notifications } from '../database/notifications.js';
import type { ProcessorEvent } from '../events/decode.js';
import type { EventTargets } from '../events/process.js';
import { createImages } from '../executions/images/images.js';
import { createFeeds } from '../executions/logs/feed.js';
import { createSocketConnections } from '../executions/logs/gateway-subscribers.js';
import { createLogStore } from '../executions/logs/store.js';
import { createLogTokens } from '../executions/logs/tokens.js';
import { encodeMessages } from '../executions/logs/websocket-frames.js';
import { createFollowed } from '../executions/runs/attached.js';
import { type AccountCheck, createReconcile } from '../executions/runs/reconcile.js';
import { createExecutions } from '../executions/runs/run.js';
import { createRecords } from '../executions/runs/sql.js';
import { createTaskEvents } from '../executions/runs/task-events.js';
import { createSecrets } from '../executions/secrets/secrets.js';
import type { ServiceDependencies } from './dependencies.js';
import type { Http } from './http/routes.js';
import { LogSocket } from './log-socket.js';
import { executionRoutesOn, imageRoutesOn } from './routes/executions.js';
import { healthRoutesOn } from './routes/health.js';
import { secretRoutesOn } from './routes/secrets.js';

export interface ExecutionDependencies extends ServiceDependencies {
  notifications: Notifications;
  checkAccounts(): Promise<AccountCheck>;
  onError(error: unknown): void;
}

/** Longest time that a database outage delays the stop of a server. */
const maxRecordEndsMs = 2_000;

/** Builds what the API of executions consists of. `/api/v1` calls this part of ReefGuide the orchestrator. */
export function createExecutionServices(deps: ExecutionDependencies) {
  const { environment, log, database, notifications, encryption, runner, onError, now } = deps;
  const records = createRecords(database, notifications);
  const logs = createLogStore(database, notifications);
  const tokens = createLogTokens(database);
  const images = createImages(database, runner);
  const secrets = createSecrets(database, encryption);
  const followed = createFollowed({ records, logs, notifications, runner, log, now });
  const executions = createExecutions({ records, images, secrets, logs, followed, runner, encryption, log, now });
  const taskEvents = createTaskEvents({ records, logs, runner, encryption, log, now });
  const gateway = createSocketGateway(deps.aws, environment.WEBSOCKET_API_ENDPOINT);
  const gatewaySubscribers = createSocketConnections({ database, logs, records, tokens, gateway, log, now });
  const serverLogs = createServerLogs(database);
  const logGroups = environment.LOG_GROUP_NAMES;
  // Without log groups in CloudWatch, the log lines of requests are stored in the database.
  if (logGroups.length === 0) deps.trail?.attach(serverLogs.store);
  const readTrace = createTraces({
    serverLogs: logGroups.length > 0 ? createCloudLogs(deps.aws, logGroups, now) : serverLogs,
    records,
    images,
    secrets,
  });
  const reconcile = createReconcile({
    database,
    records,
    images,
    secrets,
    logs,
    taskEvents,
    runner,
    isFollowed: followed.has,
    checkAccounts: deps.checkAccounts,
    log,
    now,
  });
  const feeds = createFeeds({ logs, records, notifications, encode: encodeMessages, onError });
  const logSocket = new LogSocket({ feeds, logs, tokens, log });
  return {
    ...{ deps, records, logs, tokens, images, secrets, followed, executions, taskEvents, gatewaySubscribers },
    ...{ serverLogs, readTrace, reconcile, feeds, logSocket },
  };
}
export type ExecutionServices = ReturnType<typeof createExecutionServices>;

export const countLogSubscribers = ({ feeds }: ExecutionServices): number => feeds.count();

/** Binds the routes of executions, images, secrets, reconciliation and traces. */
export function addExecutionRoutes(http: Http, services: ExecutionServices): void {
  const { executions, images, secrets, reconcile, readTrace, deps } = services;
  executionRoutesOn(http, executions, (executionId, apiUrl) => createSocketUrl(services, executionId, apiUrl));
  imageRoutesOn(http, images);
  secretRoutesOn(http, secrets);
  healthRoutesOn(http, {
    reconcile,
    async trace(requestId) {
      // The newest lines may still be in memory.
      await deps.trail?.flush();
      return readTrace(requestId);
    },
  });
}

/** Returns a URL with a new token, which opens one WebSocket: `ws://localhost:5000/ws?token=log_…`. */
async function createSocketUrl({ deps, tokens }: ExecutionServices, executionId: string, apiUrl: string) {
  const endpoint = deps.environment.WEBSOCKET_API_ENDPOINT ?? `${apiUrl.replace(/^http/, 'ws')}${socketPath}`;
  return `${endpoint}?token=${await tokens.issue(executionId)}`;
}

/** Returns what the event processor changes in executions and in the subscriptions of their logs. */
export function createExecutionEventTargets(services: ExecutionServices): Omit<EventTargets, 'loseJobs'> {
  const { taskEvents, gatewaySubscribers, deps } = services;
  return {
    taskRuns: taskEvents.taskRuns,
    async taskStopped(...args) {
      const change = await taskEvents.taskStopped(...args);
      if (change?.applied) await gatewaySubscribers.pushAll(change.executionId);
      return change;
    },
    async storeLines(...args) {
      const stored = await taskEvents.storeLines(...args);
      if (stored) await gatewaySubscribers.pushAll(stored.executionId);
      return stored;
    },
    socketOpened: gatewaySubscribers.opened,
    socketSpoke: gatewaySubscribers.spoke,
    socketClosed: gatewaySubscribers.closed,
    reconcile: () => runHourlyMaintenance(services),
    onUnknown: (event) =>
      deps.log.info({ event: event.kind, ...toTaskName(event) }, 'ignored an event of an unknown task'),
  };
}

const toTaskName = (event: ProcessorEvent) => {
  if ('task' in event) return { taskArn: event.task.arn };
  return 'taskId' in event ? { taskId: event.taskId } : {};
};

/** Removes expired rows and reconciles. Each step runs even when another fails; then the first error is thrown. */
export async function runHourlyMaintenance(services: ExecutionServices): Promise<void> {
  const { serverLogs, tokens, gatewaySubscribers, logs, reconcile, deps } = services;
  const logDays = deps.environment.EXECUTION_LOG_DAYS;
  const results = await Promise.allSettled([
    serverLogs.removeOld(),
    tokens.removeExpired(),
    gatewaySubscribers.removeOld(),
    logDays > 0 ? logs.removeOld(logDays) : undefined,
    reconcile(),
  ]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Registers the default image of a new deployment, and ends executions that a killed server left as running. */
export async function seedExecutions({ images, reconcile, deps }: ExecutionServices): Promise<void> {
  const { EXECUTION_IMAGE: image, EXECUTION_CPU: cpu, EXECUTION_MEMORY: memory } = deps.environment;
  // The server starts even when the provider refuses the image.
  await images
    .seed({ image, cpu, memory })
    .catch((error: unknown) => deps.log.error({ err: error, image }, 'the default image could not be registered'));
  if (deps.runner?.platform === 'local') await reconcile();
}

/** Stops the commands that cannot outlive this process, and records their ends. */
export async function closeExecutions({ followed, deps }: ExecutionServices): Promise<void> {
  await deps.runner?.close();
  await followed.close(maxRecordEndsMs);
  await deps.trail?.close();
}
