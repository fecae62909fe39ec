import path from 'node:path';
import type { Logger } from 'pino';
import { type AttemptLimits, defaultLimits } from '../accounts/attempt-limits.js';
import { type LocalCredentials, localKeys, localSecretsKey, localUrlKey } from '../accounts/local-credentials.js';
import { readKeys } from '../accounts/signing-keys.js';
import type { LogTrail } from '../audit/request-log.js';
import { type Aws, createAws } from '../aws/clients.js';
import { createEcsService } from '../aws/ecs-service.js';
import { SetupError } from '../contract/errors.js';
import { databaseError, findDatabase } from '../database/connect.js';
import { openDatabase } from '../database/database.js';
import { migrateInChild } from '../database/migrate-in-child.js';
import { tableVariables } from '../environment/runvoy-names.js';
import type { ServerEnvironment } from '../environment/server.js';
import { commandRunner } from '../executions/runners/choose.js';
import { type EncryptionKeys, encryptionKeys } from '../executions/secrets/encryption.js';
import { resealValues } from '../executions/secrets/sealed-values.js';
import { createSecrets } from '../executions/secrets/secrets.js';
import { builtInTypes } from '../jobs/types/built-in.js';
import { readConfiguredTypes } from '../jobs/types/configured.js';
import { createRegistry } from '../jobs/types/registry.js';
import { createUrlSigner } from '../storage/signed-url.js';
import { createStorages } from '../storage/storages.js';
import { seedAll } from './seed.js';
import { createService, type Service } from './service.js';

export interface AssembleOptions {
  environment: ServerEnvironment;
  home: string;
  log: Logger;
  /** Keeps the log lines of requests. */
  trail?: LogTrail | undefined;
  limits?: AttemptLimits | undefined;
  /** Requests that wait are answered after so long; undefined: when they asked for. */
  holdMs?: number | undefined;
  /** Told what is being done, for a person who waits. */
  onStep?(step: 'database' | 'schema' | 'accounts' | 'listening'): void;
}

export interface Assembled {
  service: Service;
  /** The accounts of the local system, when it made them. */
  credentials: LocalCredentials | undefined;
  databaseUrl: string;
  /** Ends the service and what it stands on. */
  close(): Promise<void>;
}

/** The composition root of the API: builds everything, migrates and seeds the database. Listens on nothing. */
export async function assemble(options: AssembleOptions): Promise<Assembled> {
  const { environment, home, log, onStep = () => {} } = options;
  const production = environment.NODE_ENV === 'production';
  if (production && !environment.DATABASE_URL) {
    throw new SetupError('DATABASE_URL is not set', {
      hint: 'In production the database must be named: the embedded one is for one machine.',
    });
  }
  const types = createRegistry([
    ...builtInTypes,
    ...(await readConfiguredTypes(
      path.resolve('configs/job-types'),
      builtInTypes.map(({ name }) => name),
    )),
  ]);
  const keys = readKeys(await keysOf(environment, home, production), previousKeyOf(environment));
  const signingKey = environment.URL_SIGNING_KEY ?? (production ? undefined : await localUrlKey(home));
  if (signingKey === undefined && !environment.S3_BUCKET_NAME) {
    throw new SetupError('Neither S3_BUCKET_NAME nor URL_SIGNING_KEY is set', {
      hint: 'Name the bucket for results, or set URL_SIGNING_KEY (32 characters or more) to keep them on this machine.',
    });
  }
  const tables = tableVariables.filter((name) => environment[name] !== undefined);
  if (tables.length > 0)
    log.warn({ variables: tables }, 'these variables name no tables: records live in Postgres now');
  const now = Date.now;
  const signer = createUrlSigner(signingKey ?? crypto.randomUUID(), now);
  const { storages, local: localStorage } = createStorages(environment, path.join(home, 'storage'), signer);

  const undo: (() => Promise<void>)[] = [];
  const stopAll = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    onStep('database');
    const address = await findDatabase(environment, home, (line) => log.info(line));
    undo.push(() => address.release());
    onStep('schema');
    const applied = await migrateInChild(address.directUrl).catch((error: unknown) => {
      throw databaseError(address.directUrl, error);
    });
    if (applied.length > 0) log.info({ migrations: applied }, 'migrated the database');
    const database = openDatabase({
      url: address.url,
      poolSize: environment.DATABASE_POOL_SIZE,
      keepOpen: 4,
      onIdleError: (error) => log.warn({ err: error }, 'a database connection was lost'),
    });
    undo.push(() => database.close());

    onStep('accounts');
    const { accounts, credentials } = await seedAll(database, environment, address.embedded ? home : undefined);

    await database.warm();
    const encryption = await encryptionOf(environment, production ? undefined : home);
    if (encryption && environment.SECRETS_PREVIOUS_KEY) {
      const secrets = await createSecrets(database, encryption).reencrypt();
      await resealValues(database, encryption);
      log.info({ secrets }, 'encrypted with the present key what the previous one encrypted');
    }

    const aws = createAws({ region: environment.AWS_REGION });
    const runner = await commandRunner({ environment, home, aws, log });
    const service = createService({
      environment,
      log,
      database,
      listenUrl: address.directUrl,
      keys,
      types,
      storages,
      localStorage,
      signer,
      accounts,
      limits: options.limits ?? defaultLimits,
      encryption,
      service: serviceOf(environment, aws),
      provider: runner?.platform ?? (address.embedded ? 'local' : 'ecs'),
      aws,
      trail: options.trail,
      runner,
      holdMs: options.holdMs ?? (environment.REQUEST_TIMEOUT_SECONDS * 1000 || undefined),
      now,
    });
    undo.push(() => service.close());
    await service.seed();
    return { service, credentials, databaseUrl: address.url, close: stopAll };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function keysOf(environment: ServerEnvironment, home: string, production: boolean) {
  const { JWT_PRIVATE_KEY: privateKey, JWT_PUBLIC_KEY: publicKey, JWT_KEY_ID: keyId } = environment;
  if (privateKey && publicKey && keyId) return { privateKey, publicKey, keyId };
  if (privateKey || publicKey || keyId || production) {
    throw new SetupError('JWT_PRIVATE_KEY, JWT_PUBLIC_KEY and JWT_KEY_ID must all be set', {
      hint: 'Make them with: reefguide keys local',
    });
  }
  return localKeys(home);
}

function previousKeyOf({ JWT_PREVIOUS_PUBLIC_KEY: publicKey, JWT_PREVIOUS_KEY_ID: keyId }: ServerEnvironment) {
  return publicKey && keyId ? { publicKey, keyId } : undefined;
}

function serviceOf({ ECS_CLUSTER_NAME: cluster, ECS_SERVICE_NAME: service }: ServerEnvironment, aws: Aws) {
  return cluster && service ? createEcsService(aws, { cluster, service }) : undefined;
}

/** The keys that encrypt secrets: named, or, on one machine (`home`), made on first use; otherwise none are kept. */
async function encryptionOf(
  { SECRETS_KEY, SECRETS_PREVIOUS_KEY: previous }: ServerEnvironment,
  home: string | undefined,
): Promise<EncryptionKeys | undefined> {
  const current = SECRETS_KEY ?? (home === undefined ? undefined : await localSecretsKey(home));
  return current === undefined ? undefined : encryptionKeys(current, ...(previous ? [previous] : []));
}
