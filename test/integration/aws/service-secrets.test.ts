import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAws } from '../../../src/aws/clients.js';
import { withServiceSecrets } from '../../../src/aws/service-secrets.js';
import { type FakeAws, startFakeAws } from '../../support/fakes/aws.js';

const hidden = 'hunter2-hunter2';
const originalEnv = { ...process.env };
let aws: FakeAws;
beforeEach(async () => {
  aws = await startFakeAws();
  Object.assign(process.env, aws.env);
});
afterEach(async () => {
  await aws.close();
  process.env = { ...originalEnv };
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

describe('withServiceSecrets', () => {
  it('adds the variables of every secret', async () => {
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

  it('keeps variables that are set, and replaces empty variables', async () => {
    const env = {
      API_SECRETS_ARN: secret('api', { A: 'secret', B: 'secret' }),
      DATABASE_SECRET_ARN: secret('database', database),
      A: 'set',
      B: '',
      DATABASE_URL: 'postgresql://mine',
    };
    expect(await read(env)).toMatchObject({ A: 'set', B: 'secret', DATABASE_URL: 'postgresql://mine' });
  });

  it('calls AWS not at all when no secret is named', async () => {
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
  ])('names %s and shows no value when its secret is not usable', async (variable, content, reason) => {
    const reading = read({ [variable]: secret('one', content) });
    await expect(reading).rejects.toMatchObject({
      message: `The secret that ${variable} names is not usable: ${reason}`,
      hint: expect.stringMatching(/\w/),
    });
    await expect(reading).rejects.not.toMatchObject({ message: expect.stringContaining(hidden) });
  });

  it('names the variable, the permission and the secret when a secret cannot be read', async () => {
    aws.faults.refuse = () => ({ name: 'AccessDeniedException', message: 'no policy allows it' });
    await expect(read({ WORKER_SECRET_ARN: 'arn:x' })).rejects.toMatchObject({
      message:
        'The secret that WORKER_SECRET_ARN names cannot be read: secretsmanager:GetSecretValue on arn:x: not allowed: no policy allows it',
      hint: expect.stringContaining('permission secretsmanager:GetSecretValue on arn:x'),
    });
  });
});
