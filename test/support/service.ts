import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { signAccessToken } from '../../src/accounts/access-tokens.js';
import type { AttemptLimits } from '../../src/accounts/attempt-limits.js';
import { hashSecret, newSecret } from '../../src/accounts/secret-hash.js';
import { generateKeys, readKeys, type SigningKeys } from '../../src/accounts/signing-keys.js';
import { RequestLog } from '../../src/audit/request-log.js';
import { createAws } from '../../src/aws/clients.js';
import type { ServiceControl } from '../../src/aws/ecs-service.js';
import type { RoleName } from '../../src/contract/auth.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import { parseEnvironment, serverEnvironment } from '../../src/environment/server.js';
import { createLocalCommandRunner } from '../../src/executions/runners/local/runner.js';
import type { CommandRunner } from '../../src/executions/runners/runner.js';
import { deriveEncryptionKeys } from '../../src/executions/secrets/encryption.js';
import { builtInTypes } from '../../src/jobs/types/built-in.js';
import { type JobType, JobTypeRegistry } from '../../src/jobs/types/registry.js';
import { createLog } from '../../src/platform/log.js';
import { type Listening, listen } from '../../src/server/http/listen.js';
import { createService, type Service } from '../../src/server/service.js';
import { createUrlSigner } from '../../src/storage/signed-url.js';
import { createStorages } from '../../src/storage/storages.js';
import { checkConformance } from './conformance.js';
import { createTestDatabase, type TestDatabase } from './database.js';

export interface Answer {
  status: number;
  headers: Headers;
  // Tests look at answers freely; their shape is checked against the OpenAPI document.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  body: any;
}

export interface Caller {
  userId: number;
  email: string;
  token: string;
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown): Promise<Answer>;
  put(path: string, body?: unknown): Promise<Answer>;
  delete(path: string, body?: unknown): Promise<Answer>;
}

export interface TestService {
  url: string;
  processorUrl: string;
  database: Database;
  testDatabase: TestDatabase;
  service: Service;
  keys: SigningKeys;
  home: string;
  /** Sends a request as it is and checks the answer against the OpenAPI document. */
  fetch(path: string, init?: RequestInit): Promise<Answer>;
  /** Somebody without credentials. */
  anybody: Omit<Caller, 'userId' | 'email' | 'token'>;
  /** A new account with these roles, logged in. */
  as(...roles: RoleName[]): Promise<Caller>;
  /** A new API key of the account, with a role of its own if given. */
  apiKey(userId: number, role?: RoleName): Promise<string>;
  close(): Promise<void>;
}

export interface TestServiceOptions {
  env?: Record<string, string>;
  types?: readonly JobType[];
  limits?: AttemptLimits;
  /** Shares the database (and home, keys) of another service: a second API process. */
  beside?: TestService;
  /** The keys that sign; by default the same for every service of a test file. */
  keys?: SigningKeys;
  /** The ECS service that administrators look after. */
  service?: ServiceControl;
  /** Runs commands; by default on this machine. null: the server runs none. */
  runner?: CommandRunner | null;
  /** Where the service finds its database, given where it is: a proxy in between. */
  databaseUrl?: (url: string) => string;
}

const unlimited = { points: 1_000_000, windowSeconds: 60 };
let keys: Promise<SigningKeys> | undefined;

/** A whole API on a database of its own, on free ports. */
export async function startTestService(options: TestServiceOptions = {}): Promise<TestService> {
  const { beside } = options;
  keys ??= generateKeys().then((pair) => readKeys(pair));
  const signingKeys = options.keys ?? (await keys);
  const testDatabase = beside?.testDatabase ?? (await createTestDatabase());
  const home = beside?.home ?? (await mkdtemp(path.join(os.tmpdir(), 'reefguide-service-')));
  const databaseUrl = options.databaseUrl?.(testDatabase.url) ?? testDatabase.url;
  const database = openDatabase({ url: databaseUrl, poolSize: 8 });
  const environment = parseEnvironment(serverEnvironment, { SWEEP_INTERVAL_SECONDS: '3600', ...options.env });
  const signer = createUrlSigner('a secret of the tests, long enough', Date.now);
  const { storages, local } = createStorages(environment, path.join(home, 'storage'), signer);
  const runner =
    options.runner === null
      ? undefined
      : (options.runner ??
        (await createLocalCommandRunner({
          folder: path.join(home, 'executions'),
          engines: [],
          env: process.env,
          killAfterMs: 1_000,
          now: Date.now,
        })));
  const requestLog = new RequestLog();
  const service = createService({
    environment,
    log: createLog(process.env.TEST_LOG ?? 'info', {
      file: process.env.TEST_LOG ? undefined : os.devNull,
      sink: requestLog,
    }),
    requestLog,
    database,
    listenUrl: databaseUrl,
    keys: signingKeys,
    types: new JobTypeRegistry([...builtInTypes, ...(options.types ?? [])]),
    storages,
    localStorage: local,
    signer,
    serviceAccounts: [],
    limits: options.limits ?? { account: unlimited, address: unlimited, register: unlimited },
    encryption: deriveEncryptionKeys(
      environment.SECRETS_KEY ?? 'a key of the tests, long enough',
      ...(environment.SECRETS_PREVIOUS_KEY ? [environment.SECRETS_PREVIOUS_KEY] : []),
    ),
    provider: 'local',
    aws: createAws({ region: environment.AWS_REGION }),
    runner,
    ecsService: options.service,
    now: Date.now,
  });
  const api: Listening = await listen(service.api, 0, undefined, service.upgrade);
  const processor: Listening = await listen(service.processor, 0);

  const send = async (target: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(`${api.url}${target}`, init);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    const body: unknown = isJson ? JSON.parse(text) : text;
    checkConformance(service.http.routes, {
      method: init.method ?? 'GET',
      path: target,
      status: response.status,
      isJson,
      body,
    });
    return { status: response.status, headers: response.headers, body };
  };
  const verbs = (headers: Record<string, string>) => {
    const withBody = (method: string) => (target: string, body?: unknown) =>
      send(target, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    return {
      get: (target: string) => send(target, { headers }),
      post: withBody('POST'),
      put: withBody('PUT'),
      delete: withBody('DELETE'),
    };
  };

  return {
    url: api.url,
    processorUrl: processor.url,
    database,
    testDatabase,
    service,
    keys: signingKeys,
    home,
    fetch: send,
    anybody: verbs({}),
    async as(...roles) {
      const email = `${randomUUID()}@example.org`;
      // Nobody logs in with it: the token is signed here, so that tests need no slow password hash.
      const { id: userId } = await database.prisma.user.create({ data: { email, password: 'unusable', roles } });
      const token = signAccessToken(
        { keys: signingKeys, issuer: environment.JWT_ISSUER, expiresInSeconds: 3600 },
        { userId, email, roles },
      );
      return { userId, email, token, ...verbs({ authorization: `Bearer ${token}` }) };
    },
    async apiKey(userId, role) {
      const key = newSecret('rg');
      await database.prisma.apiKey.create({ data: { user_id: userId, key_hash: hashSecret(key), role: role ?? null } });
      return key;
    },
    async close() {
      service.drain();
      await Promise.all([api.close(), processor.close()]);
      await service.close();
      await database.close();
      if (!beside) {
        await testDatabase.drop();
        await rm(home, { recursive: true, force: true });
      }
    },
  };
}
