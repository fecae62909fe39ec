import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createAws } from '../../../src/aws/clients.js';
import { databaseUrl, withServiceSecrets } from '../../../src/aws/service-secrets.js';
import { type AwsStandIn, startAwsStandIn } from '../../support/fakes/aws.js';

const hidden = 'hunter2-hunter2';
const before = { ...process.env };
let aws: AwsStandIn;
beforeEach(async () => {
  aws = await startAwsStandIn();
  Object.assign(process.env, aws.env);
});
afterEach(async () => {
  await aws.close();
  process.env = { ...before };
});

const secret = (name: string, fields: unknown) => aws.putSecret(name, JSON.stringify(fields));
const read = (env: NodeJS.ProcessEnv) => withServiceSecrets(env, createAws());
const database = {
  engine: 'postgres',
  username: 'reef',
  password: 'pass word',
  host: 'db.example.org',
  port: 5433,
  dbname: 'main',
};

describe('the secrets of the service', () => {
  it('become the variables that they stand for', async () => {
    const env = {
      API_SECRETS_ARN: secret('api', { JWT_KEY_ID: 'key', URL_SIGNING_KEY: 'x'.repeat(32), NUMBER: 3 }),
      DATABASE_SECRET_ARN: secret('database', database),
      ADMIN_SECRET_ARN: secret('admin', { username: 'admin@example.org', password: 'one' }),
      MANAGER_SECRET_ARN: secret('manager', { username: 'manager@example.org', password: 'two' }),
      WORKER_SECRET_ARN: secret('worker', { username: 'worker@example.org', password: 'three' }),
    };
    expect(await read(env)).toEqual({
      ...env,
      JWT_KEY_ID: 'key',
      URL_SIGNING_KEY: 'x'.repeat(32),
      NUMBER: '3',
      DATABASE_URL: 'postgresql://reef:pass%20word@db.example.org:5433/main?sslmode=verify-full',
      ADMIN_USERNAME: 'admin@example.org',
      ADMIN_PASSWORD: 'one',
      MANAGER_USERNAME: 'manager@example.org',
      MANAGER_PASSWORD: 'two',
      WORKER_USERNAME: 'worker@example.org',
      WORKER_PASSWORD: 'three',
    });
  });

  it('give way to variables that are set, and not to empty ones', async () => {
    const env = {
      API_SECRETS_ARN: secret('api', { A: 'secret', B: 'secret' }),
      DATABASE_SECRET_ARN: secret('database', database),
      A: 'set',
      B: '',
      DATABASE_URL: 'postgresql://mine',
    };
    expect(await read(env)).toMatchObject({ A: 'set', B: 'secret', DATABASE_URL: 'postgresql://mine' });
  });

  it('are not asked for when none is named', async () => {
    expect(await read({ A: '1' })).toEqual({ A: '1' });
    expect(aws.calls).toEqual([]);
  });

  it.each([
    ['DATABASE_SECRET_ARN', { ...database, password: undefined, note: hidden }, 'it lacks password'],
    ['DATABASE_SECRET_ARN', { password: hidden }, 'it lacks username, host'],
    ['ADMIN_SECRET_ARN', { password: hidden }, 'it lacks username'],
    ['MANAGER_SECRET_ARN', { username: hidden, password: '' }, 'it lacks password'],
    ['WORKER_SECRET_ARN', [hidden], 'the secret is not a JSON object'],
    ['API_SECRETS_ARN', hidden, 'the secret is not a JSON object'],
  ])('that are not usable are an error that names %s and shows nothing', async (variable, content, reason) => {
    const reading = read({ [variable]: secret('one', content) });
    await expect(reading).rejects.toMatchObject({
      message: `The secret that ${variable} names is not usable: ${reason}`,
      hint: expect.stringMatching(/\w/),
    });
    await expect(reading).rejects.not.toMatchObject({ message: expect.stringContaining(hidden) });
  });

  it('that cannot be read are an error that names the variable, the permission and the secret', async () => {
    aws.faults.refuse = () => ({ name: 'AccessDeniedException', message: 'no policy allows it' });
    await expect(read({ WORKER_SECRET_ARN: 'arn:x' })).rejects.toMatchObject({
      message:
        'The secret that WORKER_SECRET_ARN names cannot be read: secretsmanager:GetSecretValue on arn:x: not allowed: no policy allows it',
      hint: expect.stringContaining('permission secretsmanager:GetSecretValue on arn:x'),
    });
  });
});

describe('the connection string', () => {
  it('means what the secret holds, whatever characters that has, and verifies the certificate', () => {
    const special = { ...database, username: 'reef@home:x', password: `p/a?s#s%w&o=r+d "'@:珊`, dbname: 'my db' };
    const { user, password, host, port, database: name } = new pg.Client({ connectionString: databaseUrl(special) });
    expect({ username: user, password, host, port, dbname: name }).toEqual({ ...special, engine: undefined });
    expect(new URL(databaseUrl(special)).searchParams.get('sslmode')).toBe('verify-full');
  });
});
