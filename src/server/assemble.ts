import path from 'node:path';
import type { Logger } from 'pino';
import { type AttemptLimits, defaultLimits } from '../accounts/attempt-limits.js';
import type { LocalCredentials } from '../accounts/local-credentials.js';
import { type Aws, createAws } from '../aws/clients.js';
import { EcsService, type ServiceControl } from '../aws/ecs-service.js';
import { SetupError } from '../contract/errors.js';
import { findDatabase, toDatabaseError } from '../database/connect.js';
import { type Database, openDatabase } from '../database/database.js';
import { migrateInChild } from '../database/migrate-in-child.js';
import { runvoyTableVariables } from '../environment/runvoy-names.js';
import type { ServerEnvironment } from '../environment/server.js';
import { chooseCommandRunner } from '../executions/runners/choose.js';
import type { EncryptionKeys } from '../executions/secrets/encryption.js';
import { resealValues } from '../executions/secrets/sealed-values.js';
import { reencryptSecrets } from '../executions/secrets/secrets.js';
import { builtInTypes } from '../jobs/types/built-in.js';
import { readConfiguredTypes } from '../jobs/types/configured.js';
import { JobTypeRegistry } from '../jobs/types/registry.js';
import { UrlSigner } from '../storage/signed-url.js';
import { createStorages } from '../storage/storages.js';
import type { ServiceDependencies } from './dependencies.js';
import { type KeySources, readEncryptionKeys, readJwtKeys, readUrlSigningKey } from './keys.js';
import { seedAccounts } from './seed.js';
import { createService, type Service } from './service.js';

/** Steps of a start, in order. */
export type StartStep = 'database' | 'schema' | 'accounts' | 'listening';

export interface AssembleOptions
  extends Pick<ServiceDependencies, 'environment' | 'log' | 'requestLog' | 'maxRequestMs'> {
  home: string;
  limits?: AttemptLimits | undefined;
  onStep?(step: StartStep): void;
}

export interface Assembled {
  service: Service;
  /** The accounts of the local system; undefined without the embedded database. */
  credentials: LocalCredentials | undefined;
  databaseUrl: string;
  /** Stops the service, then closes the database. */
  close(): Promise<void>;
}

type OnClose = (closer: () => Promise<void>) => void;

/** Builds the API and the event processor, migrates and seeds the database. Opens no port. */
export async function assemble(options: AssembleOptions): Promise<Assembled> {
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const { service, credentials, databaseUrl } = await openService(options, (closer) => closers.push(closer));
    return { service, credentials, databaseUrl, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Does the work of `assemble` and registers with `onClose` how to undo each step. */
async function openService(options: AssembleOptions, onClose: OnClose) {
  const { environment, home, log, onStep } = options;
  const isProduction = environment.NODE_ENV === 'production';
  requireDatabaseUrl(environment, isProduction);
  const types = await readJobTypes();
  const sources: KeySources = { environment, home, isProduction };
  const keys = await readJwtKeys(sources);
  const signer = new UrlSigner(await readUrlSigningKey(sources), Date.now);
  const { storages, local: localStorage } = createStorages(environment, path.join(home, 'storage'), signer);
  warnOfTableVariables(environment, log);

  const { address, database } = await openMigratedDatabase(options, onClose);
  onStep?.('accounts');
  const { accounts, credentials } = await seedAccounts(database, environment, address.embedded ? home : undefined);
  await database.warm();
  const encryption = await readEncryptionKeys(sources);
  if (encryption && environment.SECRETS_PREVIOUS_KEY) await reencrypt(database, encryption, log);

  const aws = createAws({ region: environment.AWS_REGION });
  const runner = await chooseCommandRunner(environment, home, aws, log);
  const service = createService({
    ...{ environment, log, database, keys, types, storages, localStorage, signer, encryption, aws, runner },
    listenUrl: address.directUrl,
    serviceAccounts: accounts,
    limits: options.limits ?? defaultLimits,
    ecsService: findEcsService(environment, aws),
    provider: runner?.platform ?? (address.embedded ? 'local' : 'ecs'),
    requestLog: options.requestLog,
    maxRequestMs: options.maxRequestMs ?? (environment.REQUEST_TIMEOUT_SECONDS * 1000 || undefined),
    now: Date.now,
  });
  onClose(() => service.close());
  await service.seed();
  return { service, credentials, databaseUrl: address.url };
}

function requireDatabaseUrl(environment: ServerEnvironment, isProduction: boolean): void {
  if (!isProduction || environment.DATABASE_URL) return;
  throw new SetupError('DATABASE_URL is not set', {
    hint: 'Set DATABASE_URL: production does not use the embedded database, which serves one machine.',
  });
}

async function readJobTypes(): Promise<JobTypeRegistry> {
  const builtInNames = builtInTypes.map(({ name }) => name);
  const configured = await readConfiguredTypes(path.resolve('configs/job-types'), builtInNames);
  return new JobTypeRegistry([...builtInTypes, ...configured]);
}

/** Warns of variables for DynamoDB tables of runvoy, because records are in Postgres now. */
function warnOfTableVariables(environment: ServerEnvironment, log: Logger): void {
  const variables = runvoyTableVariables.filter((name) => environment[name] !== undefined);
  if (variables.length > 0)
    log.warn({ variables }, 'ignored variables that name tables: records are stored in Postgres');
}

async function openMigratedDatabase({ environment, home, log, onStep }: AssembleOptions, onClose: OnClose) {
  onStep?.('database');
  const address = await findDatabase(environment, home, (line) => log.info(line));
  onClose(() => address.release());
  onStep?.('schema');
  const migrations = await migrateInChild(address.directUrl).catch((error: unknown) => {
    throw toDatabaseError(address.directUrl, error);
  });
  if (migrations.length > 0) log.info({ migrations }, 'migrated the database');
  const database = openDatabase({
    url: address.url,
    poolSize: environment.DATABASE_POOL_SIZE,
    minPoolSize: 4,
    onIdleError: (error) => log.warn({ err: error }, 'a database connection was lost'),
  });
  onClose(() => database.close());
  return { address, database };
}

/** Encrypts every stored secret with the present key instead of the previous key. */
async function reencrypt(database: Database, encryption: EncryptionKeys, log: Logger): Promise<void> {
  const secrets = await reencryptSecrets(database, encryption);
  await resealValues(database, encryption);
  log.info({ secrets }, 'encrypted the stored secrets with the present key');
}

function findEcsService(environment: ServerEnvironment, aws: Aws): ServiceControl | undefined {
  const { ECS_CLUSTER_NAME: cluster, ECS_SERVICE_NAME: service } = environment;
  return cluster && service ? new EcsService(aws, { cluster, service }) : undefined;
}
