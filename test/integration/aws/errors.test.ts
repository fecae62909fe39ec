import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAws } from '../../../src/aws/clients.js';
import { type AwsError, callAws } from '../../../src/aws/errors.js';
import { type FakeAws, startFakeAws } from '../../support/fakes/aws.js';
import { freePort } from '../../support/program.js';

describe('AwsError of a real client', () => {
  const originalEnv = { ...process.env };
  let aws: FakeAws;
  beforeEach(async () => {
    aws = await startFakeAws();
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
    // Keeps the SDK from reading profiles of this machine.
    Object.assign(process.env, aws.env, { HOME: '/nonexistent' });
  });
  afterEach(async () => {
    await aws.close();
    process.env = { ...originalEnv };
  });

  async function catchError(region?: string): Promise<AwsError> {
    const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
    const clients = createAws({ region });
    const call = { action: 'secretsmanager:GetSecretValue', resource: 'reef/api' };
    const secret = callAws(call, async () =>
      (await clients.secretsManager()).send(new GetSecretValueCommand({ SecretId: 'reef/api' })),
    );
    return secret.then(
      () => Promise.reject(new Error('the call did not fail')),
      (error: AwsError) => error,
    );
  }

  const refusals: [string, string, string, RegExp][] = [
    ['AccessDeniedException', 'denied', 'not allowed: ', /permission secretsmanager:GetSecretValue on reef\/api/],
    ['ExpiredTokenException', 'expired', 'have expired', /aws sso login/],
    ['ThrottlingException', 'throttled', 'throttles', /Wait/],
    ['ResourceNotFoundException', 'not_found', 'not found: ', /Check the name/],
    ['DecryptionFailure', 'other', 'with\n two lines'.replace(/\s+/, ' '), /try again/],
  ];
  it.each(refusals)('explains %s as %s in one line with a hint', async (name, kind, reason, hint) => {
    aws.faults.refuse = () => ({ name, message: 'with\n two lines' });
    const error = await catchError();
    expect(error).toMatchObject({ name: 'AwsError', kind, code: name, status: 400 });
    expect(error.message).toMatch(/^secretsmanager:GetSecretValue on reef\/api: .+$/);
    expect(error.message).toContain(reason);
    expect(error.message).not.toContain('\n');
    expect(error.hint).toMatch(hint);
    expect(error.hint).not.toContain('\n');
  });

  it('explains missing credentials and how to get some', async () => {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    const error = await catchError();
    expect(error).toMatchObject({ kind: 'no_credentials', hint: expect.stringContaining('AWS_PROFILE') });
    expect(error.message).toBe('secretsmanager:GetSecretValue on reef/api: there are no AWS credentials');
    expect(aws.calls).toEqual([]);
  });

  it('explains a missing region and how to set one', async () => {
    delete process.env.AWS_REGION;
    expect(await catchError()).toMatchObject({
      kind: 'no_region',
      message: 'secretsmanager:GetSecretValue on reef/api: no AWS region is set',
      hint: expect.stringContaining('AWS_REGION=ap-southeast-2'),
    });
  });

  it('explains that AWS is unreachable when no server listens', async () => {
    process.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${await freePort()}`;
    const error = await catchError('ap-southeast-2');
    expect(error).toMatchObject({ kind: 'unreachable', status: undefined, hint: expect.stringContaining('network') });
    expect(error.message).toMatch(/AWS does not answer: .*ECONNREFUSED/);
  });
});
