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
import { type ServerEnvironment, serverEnvironment } from '../../src/environment/server.js';
import { parseEnvironment } from '../../src/environment/variables.js';
import { openLocalCommandRunner } from '../../src/executions/runners/local/runner.js';
import type { CommandRunner } from '../../src/executions/runners/runner.js';
import { deriveEncryptionKeys } from '../../src/executions/secrets/encryption.js';
import { builtInTypes } from '../../src/jobs/types/built-in.js';
import { type JobType, JobTypeRegistry } from '../../src/jobs/types/registry.js';
import { createLog } from '../../src/platform/log.js';
import type { ServiceDependencies } from '../../src/server/dependencies.js';
import { listen } from '../../src/server/http/listen.js';
import { createService, type Service } from '../../src/server/service.js';
import { UrlSigner } from '../../src/storage/signed-url.js';
import { createStorages } from '../../src/storage/storages.js';
import { checkConformance } from './conformance.js';
import { createTestDatabase, type TestDatabase } from './database.js';

export interface Answer {
  status: number;
  headers: Headers;
  // Tests read bodies freely, because each body is checked against the OpenAPI document.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  body: any;
}

/** Sends requests with the credentials of one caller. */
export interface Client {
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown): Promise<Answer>;
  put(path: string, body?: unknown): Promise<Answer>;
  delete(path: string, body?: unknown): Promise<Answer>;
}

export interface TestCaller extends Client {
  userId: number;
  email: string;
  token: string;
}

export interface TestService {
  url: string;
  processorUrl: string;
  database: Database;
  testDatabase: TestDatabase;
  service: Service;
  keys: SigningKeys;
  home: string;
  /** Sends a request and checks the answer against the OpenAPI document. */
  fetch(path: string, init?: RequestInit): Promise<Answer>;
  /** Sends requests without credentials. */
  anonymous: Client;
  /** Creates an account with these roles and an access token. */
  as(...roles: RoleName[]): Promise<TestCaller>;
  /** Creates an API key of the account, with `role` as its own role. */
  apiKey(userId: number, role?: RoleName): Promise<string>;
  close(): Promise<void>;
}

export interface TestServiceOptions {
  env?: Record<string, string>;
  types?: readonly JobType[];
  limits?: AttemptLimits;
  /** Another service whose database, home and keys this service shares, as a second API process. */
  beside?: TestService;
  /** Signing keys; the same pair for every service of a test file unless set. */
  keys?: SigningKeys;
  /** The ECS service that administrators observe and scale. */
  service?: ServiceControl;
  /** Runs commands; on this machine unless set. null: the server runs no commands. */
  runner?: CommandRunner | null;
  /** Maps the URL of the database to the URL that the service uses, for example of a proxy. */
  databaseUrl?: (url: string) => string;
}

const unlimited = { points: 1_000_000, windowSeconds: 60 };
let sharedKeys: Promise<SigningKeys> | undefined;

/** Starts the API and the event processor on free ports, with a database of their own. */
export async function startTestService(options: TestServiceOptions = {}): Promise<TestService> {
  const { beside } = options;
  sharedKeys ??= generateKeys().then((pair) => readKeys(pair));
  const keys = options.keys ?? (await sharedKeys);
  const testDatabase = beside?.testDatabase ?? (await createTestDatabase());
  const home = beside?.home ?? (await mkdtemp(path.join(os.tmpdir(), 'reefguide-service-')));
  const databaseUrl = options.databaseUrl?.(testDatabase.url) ?? testDatabase.url;
  const database = openDatabase({ url: databaseUrl, poolSize: 8 });
  const environment = parseEnvironment(serverEnvironment, { SWEEP_INTERVAL_SECONDS: '3600', ...options.env });
  const service = createService(await createDependencies(options, { environment, database, databaseUrl, keys, home }));
  const api = await listen(service.api, 0, undefined, service.upgrade);
  const processor = await listen(service.processor, 0);
  const send = createSend(api.url, service);
  return {
    ...{ url: api.url, processorUrl: processor.url, database, testDatabase, service, keys, home, fetch: send },
    anonymous: createClient(send, {}),
    async as(...roles) {
      const email = `${randomUUID()}@example.org`;
      // The token is signed here instead of by a login, because hashing a password is slow.
      const { id: userId } = await database.prisma.user.create({ data: { email, password: 'unusable', roles } });
      const settings = { keys, issuer: environment.JWT_ISSUER, expiresInSeconds: 3600 };
      const token = signAccessToken(settings, { userId, email, roles });
      return { userId, email, token, ...createClient(send, { authorization: `Bearer ${token}` }) };
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
      if (beside) return;
      await testDatabase.drop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

interface ServiceParts {
  environment: ServerEnvironment;
  database: Database;
  databaseUrl: string;
  keys: SigningKeys;
  home: string;
}

async function createDependencies(
  options: TestServiceOptions,
  { environment, database, databaseUrl, keys, home }: ServiceParts,
): Promise<ServiceDependencies> {
  const { SECRETS_KEY = 'a key of the tests, long enough', SECRETS_PREVIOUS_KEY } = environment;
  const signer = new UrlSigner('a secret of the tests, long enough', Date.now);
  const { storages, local: localStorage } = createStorages(environment, path.join(home, 'storage'), signer);
  const requestLog = new RequestLog();
  const { TEST_LOG } = process.env;
  return {
    ...{ environment, requestLog, database, keys, storages, localStorage, signer },
    log: createLog(TEST_LOG ?? 'info', { file: TEST_LOG ? undefined : os.devNull, sink: requestLog }),
    listenUrl: databaseUrl,
    types: new JobTypeRegistry([...builtInTypes, ...(options.types ?? [])]),
    serviceAccounts: [],
    limits: options.limits ?? { account: unlimited, address: unlimited, register: unlimited },
    encryption: deriveEncryptionKeys(SECRETS_KEY, ...(SECRETS_PREVIOUS_KEY ? [SECRETS_PREVIOUS_KEY] : [])),
    provider: 'local',
    aws: createAws({ region: environment.AWS_REGION }),
    runner: options.runner === null ? undefined : (options.runner ?? (await createRunner(home))),
    ecsService: options.service,
    now: Date.now,
  };
}

const createRunner = (home: string): Promise<CommandRunner> =>
  openLocalCommandRunner({
    directory: path.join(home, 'executions'),
    engines: [],
    env: process.env,
    killAfterMs: 1_000,
    now: Date.now,
  });

type Send = (path: string, init?: RequestInit) => Promise<Answer>;

const createSend =
  (url: string, { http }: Service): Send =>
  async (target, init = {}) => {
    const response = await fetch(`${url}${target}`, init);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    const body: unknown = isJson ? JSON.parse(text) : text;
    const { status, headers } = response;
    checkConformance(http.routes, { method: init.method ?? 'GET', path: target, status, isJson, body });
    return { status, headers, body };
  };

function createClient(send: Send, headers: Record<string, string>): Client {
  const sendBody = (method: string) => (target: string, body?: unknown) =>
    send(target, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    get: (target) => send(target, { headers }),
    post: sendBody('POST'),
    put: sendBody('PUT'),
    delete: sendBody('DELETE'),
  };
}
