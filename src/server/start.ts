import path from 'node:path';
import type { Logger } from 'pino';
import { readKeys } from '../auth/keys.js';
import { type AttemptLimits, defaultLimits } from '../auth/limits.js';
import { type LocalCredentials, localKeys, localUrlKey } from '../auth/local-identity.js';
import type { ServerEnvironment } from '../config/environment.js';
import { SetupError } from '../contract/errors.js';
import { databaseError, findDatabase } from '../database/connect.js';
import { openDatabase } from '../database/database.js';
import { migrateApart } from '../database/migrate-apart.js';
import { builtInTypes } from '../jobs/built-in-types.js';
import { readConfiguredTypes } from '../jobs/configured-types.js';
import { createRegistry } from '../jobs/job-type.js';
import { createUrlSigner } from '../storage/signed-url.js';
import { createStorages } from '../storage/storages.js';
import { type Listening, listen } from './listen.js';
import { seedAll } from './seed.js';
import { createService } from './service.js';

export interface StartOptions {
  environment: ServerEnvironment;
  home: string;
  log: Logger;
  host?: string | undefined;
  /** Ports that serve the API; 0 picks a free one. */
  apiPorts: readonly number[];
  processorPort?: number | undefined;
  limits?: AttemptLimits | undefined;
  /** Told what is being done, for a person who waits. */
  onStep?(step: 'database' | 'schema' | 'accounts' | 'listening'): void;
}

export interface Started {
  api: Listening[];
  processor: Listening | undefined;
  /** The accounts of the local system, when it made them. */
  credentials: LocalCredentials | undefined;
  databaseUrl: string;
  /** Stops accepting, answers what waits, ends what is in flight, closes the database; within 10 s. */
  stop(): Promise<void>;
}

/** The composition root of the API: builds everything, migrates and seeds the database, and listens. */
export async function startServer(options: StartOptions): Promise<Started> {
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
  const keys = readKeys(await keysOf(environment, home, production));
  const signingKey = environment.URL_SIGNING_KEY ?? (production ? undefined : await localUrlKey(home));
  if (signingKey === undefined && !environment.S3_BUCKET_NAME) {
    throw new SetupError('Neither S3_BUCKET_NAME nor URL_SIGNING_KEY is set', {
      hint: 'Name the bucket for results, or set URL_SIGNING_KEY (32 characters or more) to keep them on this machine.',
    });
  }
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
    const applied = await migrateApart(address.directUrl).catch((error: unknown) => {
      throw databaseError(address.directUrl, error);
    });
    if (applied.length > 0) log.info({ migrations: applied }, 'migrated the database');
    const database = openDatabase({
      url: address.url,
      poolSize: environment.DATABASE_POOL_SIZE,
      onIdleError: (error) => log.warn({ err: error }, 'a database connection was lost'),
    });
    undo.push(() => database.close());

    onStep('accounts');
    const { accounts, credentials } = await seedAll(database, environment, address.embedded ? home : undefined);

    onStep('listening');
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
      provider: address.embedded ? 'local' : 'ecs',
      now,
    });
    undo.push(() => service.close());
    const servers: Listening[] = [];
    undo.push(async () => {
      const closing = Promise.all(servers.map((server) => server.close()));
      service.drain();
      await closing;
    });
    for (const port of options.apiPorts) servers.push(await listen(service.api, port, options.host));
    const api = [...servers];
    let processor: Listening | undefined;
    if (options.processorPort !== undefined) {
      const open = environment.PROCESSOR_TOKEN !== undefined;
      processor = await listen(service.processor, options.processorPort, open ? options.host : '127.0.0.1');
      servers.push(processor);
    }
    return { api, processor, credentials, databaseUrl: address.url, stop: stopAll };
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
