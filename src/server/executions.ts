import type { Logger } from 'pino';
import type { LogTrail } from '../audit/request-log.js';
import { createServerLogs, createTraces } from '../audit/traces.js';
import { createSocketGateway } from '../aws/api-gateway-sockets.js';
import type { Aws } from '../aws/clients.js';
import { createCloudLogs } from '../aws/cloudwatch-logs.js';
import { socketPath } from '../contract/paths.js';
import type { Database } from '../database/database.js';
import type { Notifications } from '../database/notifications.js';
import type { ServerEnvironment } from '../environment/server.js';
import type { ProcessorEvent } from '../events/decode.js';
import type { EventTargets } from '../events/process.js';
import { createImages } from '../executions/images/images.js';
import { createFeeds } from '../executions/logs/feed.js';
import { createSocketConnections } from '../executions/logs/gateway-subscribers.js';
import { createLogStore } from '../executions/logs/store.js';
import { createLogTokens } from '../executions/logs/tokens.js';
import { encodeMessages } from '../executions/logs/websocket-frames.js';
import type { CommandRunner } from '../executions/runners/runner.js';
import { createFollowed } from '../executions/runs/attached.js';
import { type AccountCheck, createReconcile } from '../executions/runs/reconcile.js';
import { createExecutions } from '../executions/runs/run.js';
import { createRecords } from '../executions/runs/sql.js';
import { createTaskEvents } from '../executions/runs/task-events.js';
import type { EncryptionKeys } from '../executions/secrets/encryption.js';
import { createSecrets } from '../executions/secrets/secrets.js';
import type { Http } from './http/routes.js';
import { createLiveLogs } from './log-socket.js';
import { executionRoutesOn, imageRoutesOn } from './routes/executions.js';
import { healthRoutesOn } from './routes/health.js';
import { secretRoutesOn } from './routes/secrets.js';

export interface OrchestratorDependencies {
  aws: Aws;
  environment: ServerEnvironment;
  log: Logger;
  database: Database;
  notifications: Notifications;
  encryption?: EncryptionKeys | undefined;
  runner?: CommandRunner | undefined;
  /** Keeps the log lines of requests in the database, unless they are found in CloudWatch. */
  trail?: LogTrail | undefined;
  checkAccounts(): Promise<AccountCheck>;
  onError(error: unknown): void;
  now(): number;
}

/** A database that is away does not keep a server from stopping for longer. */
const lastEndsWithinMs = 2_000;

const nameIn = (event: ProcessorEvent) => {
  if ('task' in event) return { taskArn: event.task.arn };
  return 'taskId' in event ? { taskId: event.taskId } : {};
};

/** Assembles what runs ad hoc commands. */
export function createOrchestrator(deps: OrchestratorDependencies) {
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
  const connections = createSocketConnections({ database, logs, records, tokens, gateway, log, now });
  const serverLogs = createServerLogs(database);
  const groups = environment.LOG_GROUP_NAMES;
  if (groups.length === 0) deps.trail?.attach(serverLogs.store);
  const trace = createTraces({
    serverLogs: groups.length > 0 ? createCloudLogs(deps.aws, groups, now) : serverLogs,
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
  /** What an hour brings. */
  const hourly = async () => {
    const days = environment.EXECUTION_LOG_DAYS;
    const steps = [
      serverLogs.removeOld,
      tokens.removeExpired,
      connections.removeOld,
      async () => days > 0 && logs.removeOld(days),
      reconcile,
    ];
    // One that fails keeps no other from its turn.
    const results = await Promise.allSettled(steps.map((step) => step()));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  };
  const feeds = createFeeds({ logs, records, notifications, encode: encodeMessages, onError });
  const liveLogs = createLiveLogs({ feeds, logs, tokens, log });

  const socketUrl = async (executionId: string, apiUrl: string) => {
    const endpoint = environment.WEBSOCKET_API_ENDPOINT ?? `${apiUrl.replace(/^http/, 'ws')}${socketPath}`;
    return `${endpoint}?token=${await tokens.issue(executionId)}`;
  };

  return {
    upgrade: liveLogs.upgrade,
    routesOn(http: Http): void {
      executionRoutesOn(http, executions, socketUrl);
      imageRoutesOn(http, images);
      secretRoutesOn(http, secrets);
      healthRoutesOn(http, {
        reconcile,
        async trace(requestId) {
          // Its last lines may wait to be stored.
          await deps.trail?.flush();
          return trace(requestId);
        },
      });
    },
    /** What the event processor changes here. */
    eventTargets: {
      taskRuns: taskEvents.taskRuns,
      async taskStopped(...given) {
        const change = await taskEvents.taskStopped(...given);
        if (change?.applied) await connections.pushAll(change.executionId);
        return change;
      },
      async storeLines(...given) {
        const stored = await taskEvents.storeLines(...given);
        if (stored) await connections.pushAll(stored.executionId);
        return stored;
      },
      socketOpened: connections.opened,
      socketSpoke: connections.spoke,
      socketClosed: connections.closed,
      reconcile: hourly,
      onUnknown: (event) => log.info({ event: event.kind, ...nameIn(event) }, 'an event for nobody here'),
    } satisfies Omit<EventTargets, 'loseJobs'>,
    /** Registers the default image of a new deployment, and ends what a killed server left marked as running. */
    async seed(): Promise<void> {
      const { EXECUTION_IMAGE: image, EXECUTION_CPU: cpu, EXECUTION_MEMORY: memory } = environment;
      // A provider that refuses keeps nobody from starting the rest.
      await images
        .seed({ image, cpu, memory })
        .catch((error: unknown) => log.error({ err: error, image }, 'the default image could not be registered'));
      if (runner?.platform === 'local') await reconcile();
    },
    hourly,
    countLive: records.countLive,
    countSubscribers: feeds.count,
    /** Says goodbye to who listens. */
    drain: () => liveLogs.close(),
    /** Stops the commands that cannot outlive this process, and records their ends. */
    async close(): Promise<void> {
      await runner?.close();
      await followed.close(lastEndsWithinMs);
      await deps.trail?.close();
    },
  };
}
