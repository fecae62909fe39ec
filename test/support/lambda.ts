import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { generateKeys } from '../../src/accounts/signing-keys.js';
import { handler } from '../../src/server/lambda/api.js';
import type { GatewayAnswer } from '../../src/server/lambda/api-gateway.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { startFakeAws } from './fakes/aws.js';

export const admin = { email: 'admin@example.org', password: 'an admin password' };
export const worker = { email: 'worker@example.org', password: 'a worker password' };
export const origin = 'https://app.example.org';

export interface LambdaFixture {
  database: TestDatabase;
  home: string;
  /** Variables of the signing keys, which the functions read from a secret. */
  keys: Record<string, string>;
  close(): Promise<void>;
}

/** Sets the environment of the functions, with a database and a fake of AWS, until `close`. */
export async function startLambdaFixture(): Promise<LambdaFixture> {
  const before = { ...process.env };
  const aws = await startFakeAws();
  const database = await createTestDatabase();
  const home = await mkdtemp(path.join(os.tmpdir(), 'reefguide-lambda-'));
  const { privateKey, publicKey, keyId } = await generateKeys();
  const keys = { JWT_PRIVATE_KEY: privateKey, JWT_PUBLIC_KEY: publicKey, JWT_KEY_ID: keyId };
  const putSecret = (name: string, fields: object) => aws.putSecret(name, JSON.stringify(fields));
  const toSecret = ({ email, password }: typeof admin) => ({ username: email, password });
  Object.assign(process.env, aws.env, {
    DATABASE_URL: database.url,
    S3_BUCKET_NAME: 'results',
    ALLOWED_ORIGINS: origin,
    LOG_LEVEL: 'silent',
    API_SECRETS_ARN: putSecret('api', keys),
    ADMIN_SECRET_ARN: putSecret('admin', toSecret(admin)),
    WORKER_SECRET_ARN: putSecret('worker', toSecret(worker)),
  });
  return {
    database,
    home,
    keys,
    async close() {
      await database.drop();
      await aws.close();
      await rm(home, { recursive: true, force: true });
      process.env = before;
    },
  };
}

interface EventParts {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  isBase64Encoded?: boolean;
  sourceIp?: string;
}

/** Creates an event of an HTTP API, format 2.0. */
export const toEventV2 = (rawPath: string, parts: EventParts & { query?: string; cookies?: string[] } = {}) => ({
  version: '2.0',
  routeKey: '$default',
  rawPath,
  rawQueryString: parts.query ?? '',
  cookies: parts.cookies,
  headers: { host: 'api.example.org', 'x-forwarded-proto': 'https', 'x-forwarded-port': '443', ...parts.headers },
  requestContext: {
    stage: '$default',
    requestId: 'JKJaXmPLvHcESHA=',
    http: {
      method: parts.method ?? 'GET',
      path: rawPath,
      protocol: 'HTTP/1.1',
      sourceIp: parts.sourceIp ?? '192.0.2.1',
    },
  },
  body: parts.body,
  isBase64Encoded: parts.isBase64Encoded ?? false,
});

/** Creates an event of a REST API, format 1.0. */
export const toEventV1 = (path: string, parts: EventParts & { query?: Record<string, string[]> } = {}) => {
  const headers: Record<string, string> = { Host: 'api.example.org', ...parts.headers };
  return {
    resource: '/{proxy+}',
    path,
    httpMethod: parts.method ?? 'GET',
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: parts.query
      ? Object.fromEntries(Object.entries(parts.query).map(([name, values]) => [name, values.at(-1) ?? '']))
      : null,
    multiValueQueryStringParameters: parts.query ?? null,
    requestContext: { stage: 'prod', identity: { sourceIp: parts.sourceIp ?? '192.0.2.1' } },
    body: parts.body ?? null,
    isBase64Encoded: parts.isBase64Encoded ?? false,
  };
};

export const parseBody = ({ body }: GatewayAnswer) => JSON.parse(body);

/** Logs in through the function and returns the header of the account. */
export async function authorize(account = admin): Promise<{ authorization: string }> {
  const event = toEventV2('/api/auth/login', { method: 'POST', body: JSON.stringify(account) });
  return { authorization: `Bearer ${parseBody(await handler(event)).token}` };
}
