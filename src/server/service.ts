import type { Express } from 'express';
import type { Logger } from 'pino';
import { createPeople } from '../accounts/api-keys.js';
import { type AttemptLimits, createAttempts } from '../accounts/attempt-limits.js';
import { createAuthenticate } from '../accounts/authenticate.js';
import { type ServiceAccount, seedAccounts } from '../accounts/service-accounts.js';
import { createSessions } from '../accounts/sessions.js';
import type { SigningKeys } from '../accounts/signing-keys.js';
import { createAccounts } from '../accounts/users.js';
import type { LogTrail } from '../audit/request-log.js';
import type { Aws } from '../aws/clients.js';
import type { ServiceControl } from '../aws/ecs-service.js';
import { createCapacityStore } from '../capacity/store.js';
import type { Database } from '../database/database.js';
import { isCurrent, readMigrationStatus, readMigrations } from '../database/migrations.js';
import { PostgresNotifications } from '../database/notifications.js';
import type { ServerEnvironment } from '../environment/server.js';
import { processEvent } from '../events/process.js';
import type { CommandRunner } from '../executions/runners/runner.js';
import type { EncryptionKeys } from '../executions/secrets/encryption.js';
import { createWork } from '../jobs/claims.js';
import { createSignals } from '../jobs/job-notifications.js';
import { createSubmissions } from '../jobs/submit.js';
import type { JobTypeRegistry } from '../jobs/types/registry.js';
import { startRepeating } from '../platform/repeat.js';
import type { Storages } from '../storage/contract.js';
import type { LocalStorage } from '../storage/local.js';
import type { UrlSigner } from '../storage/signed-url.js';
import { createOrchestrator } from './executions.js';
import { corsOn } from './http/cors.js';
import { docsOn } from './http/docs.js';
import type { Upgrade } from './http/listen.js';
import { createMetrics } from './http/metrics.js';
import { createHttp, type Http } from './http/routes.js';
import { adminRoutesOn } from './routes/admin.js';
import { authRoutesOn } from './routes/auth.js';
import { capacityRoutesOn } from './routes/capacity.js';
import { fileRoutesOn } from './routes/files.js';
import { jobRoutesOn, oneJobRoutesOn } from './routes/jobs.js';
import { noteRoutesOn } from './routes/notes.js';
import { peopleRoutesOn } from './routes/people.js';
import { polygonRoutesOn } from './routes/polygons.js';
import { processorRoutesOn } from './routes/processor.js';
import { systemRoutesOn } from './routes/system.js';
import { userRoutesOn } from './routes/users.js';
import { workRoutesOn } from './routes/work.js';

export interface ServiceDependencies {
  environment: ServerEnvironment;
  log: Logger;
  database: Database;
  /** For LISTEN, which does not go through a pooler. */
  listenUrl: string;
  keys: SigningKeys;
  types: JobTypeRegistry;
  storages: Storages;
  localStorage: LocalStorage | undefined;
  signer: UrlSigner;
  accounts: readonly ServiceAccount[];
  limits: AttemptLimits;
  /** Encrypts secrets; undefined: this deployment keeps none. */
  encryption?: EncryptionKeys | undefined;
  provider: 'local' | 'ecs';
  aws: Aws;
  /** Keeps the log lines of requests. */
  trail?: LogTrail | undefined;
  /** Runs ad hoc commands; undefined: this server runs none. */
  runner?: CommandRunner | undefined;
  /** The ECS service that administrators watch and scale. */
  service?: ServiceControl | undefined;
  /** Requests that wait are answered after so long; undefined: when they asked for. */
  holdMs?: number | undefined;
  /** Milliseconds since 1970. */
  now(): number;
}

export interface Service {
  api: Express;
  processor: Express;
  http: Http;
  /** Serves the WebSocket of executions' logs. */
  upgrade: Upgrade;
  /** Writes what a new deployment begins with. */
  seed(): Promise<void>;
  /** Applies one raw event, as the processor's route does. */
  processEvent(raw: unknown): ReturnType<typeof processEvent>;
  /** Answers what waits, so that requests in flight can end. */
  drain(): void;
  close(): Promise<void>;
}

const hourMs = 3_600_000;
/** AWS hands over up to 6 MB in one event. */
const eventLimit = 8 * 1_048_576;

/** Assembles the API and the event processor. Listens on nothing: that is the shell's part. */
export function createService(deps: ServiceDependencies): Service {
  const { environment, log, database, storages, types, now } = deps;
  const onError = (error: unknown) => log.warn({ err: error }, 'background work failed and will be tried again');
  const notifications = new PostgresNotifications({ database, listenUrl: deps.listenUrl, onError });
  const signals = createSignals(notifications);
  const tokens = { keys: deps.keys, issuer: environment.JWT_ISSUER, expiresInSeconds: environment.JWT_EXPIRES_IN };
  const submissions = createSubmissions({ database, signals, storages, types });
  const work = createWork({
    database,
    signals,
    storages,
    types,
    heartbeatTimeoutSeconds: environment.HEARTBEAT_TIMEOUT_SECONDS,
    now,
    onError,
  });
  const capacity = createCapacityStore(database, now);
  const people = createPeople(database);
  const orchestrator = createOrchestrator({ ...deps, notifications, onError, checkAccounts: people.check });
  const metrics = createMetrics({
    database,
    capacity,
    waitingClaims: () => work.waitingClaims(),
    liveExecutions: orchestrator.countLive,
    logSubscribers: orchestrator.countSubscribers,
    now,
  });
  const sessions = createSessions({
    database,
    tokens,
    attempts: createAttempts(database, deps.limits),
    refreshExpiresInSeconds: environment.REFRESH_TOKEN_EXPIRES_IN,
    now,
  });
  const authenticate = createAuthenticate({ database, tokens, now });
  const shared = { log, metrics, authenticate, publicUrl: environment.PUBLIC_API_URL, holdMs: deps.holdMs };

  const http = createHttp(shared);
  http.app.set('trust proxy', environment.TRUST_PROXY);
  corsOn(http.app, environment.ALLOWED_ORIGINS);
  systemRoutesOn(http, {
    keys: deps.keys,
    metrics,
    isCurrent: async () => isCurrent(await readMigrationStatus(database.pool, await readMigrations())),
    seed: () => seedAccounts(database, deps.accounts),
    provider: deps.provider,
    region: deps.provider === 'ecs' ? environment.AWS_REGION : undefined,
  });
  authRoutesOn(http, sessions);
  userRoutesOn(http, createAccounts(database));
  peopleRoutesOn(http, people);
  orchestrator.routesOn(http);
  polygonRoutesOn(http, database);
  noteRoutesOn(http, database);
  fileRoutesOn(http, deps.localStorage, deps.signer);
  workRoutesOn(http, work, metrics);
  jobRoutesOn(http, submissions);
  oneJobRoutesOn(http, submissions);
  capacityRoutesOn(http, capacity);
  adminRoutesOn(http, deps.service);
  docsOn(http.app);

  const targets = { ...orchestrator.eventTargets, loseJobs: work.taskStopped };
  const applyEvent = (raw: unknown) => processEvent(raw, targets);
  const processor = createHttp({ ...shared, bodyLimit: eventLimit });
  processorRoutesOn(processor, applyEvent, environment.PROCESSOR_TOKEN);

  const housekeeping = startRepeating({ run: orchestrator.hourly, intervalMs: hourMs, onError });
  const sweeper = startRepeating({
    run: () => work.sweep(),
    intervalMs: environment.SWEEP_INTERVAL_SECONDS * 1000,
    onError,
  });

  return {
    api: http.finish(),
    processor: processor.finish(),
    http,
    upgrade: orchestrator.upgrade,
    seed: () => orchestrator.seed(),
    processEvent: applyEvent,
    drain() {
      orchestrator.drain();
      http.close();
      processor.close();
      work.close();
    },
    async close() {
      await housekeeping.stop();
      await orchestrator.close();
      await sweeper.stop();
      await notifications.close();
    },
  };
}
