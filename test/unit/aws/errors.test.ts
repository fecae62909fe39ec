import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAws } from '../../../src/aws/clients.js';
import { type AwsError, awsErrorKind, callAws } from '../../../src/aws/errors.js';
import { type AwsStandIn, startAwsStandIn } from '../../support/fakes/aws.js';
import { freePort } from '../../support/program.js';

const named = (name: string, message = 'told so') => Object.assign(new Error(message), { name });
const coded = (code: string, message = '') => Object.assign(new Error(message), { code });

describe('the kind of an error', () => {
  it.each([
    ['no_credentials', named('CredentialsProviderError', 'Could not load credentials from any providers')],
    ['no_credentials', new Error('Resolved credential object is not valid')],
    ['expired', named('CredentialsProviderError', 'The SSO session associated with this profile has expired.')],
    ['expired', named('TokenProviderError', 'Token is expired')],
    ['expired', named('ExpiredTokenException')],
    ['expired', named('ExpiredToken')],
    ['expired', named('UnrecognizedClientException')],
    ['expired', new Error('the session token has expired')],
    ['no_region', new Error('Region is missing')],
    ['denied', named('AccessDeniedException')],
    ['denied', named('AccessDenied', 'the credentials of an expired contract')],
    ['denied', named('UnauthorizedOperation')],
    ['throttled', named('ThrottlingException')],
    ['throttled', named('RequestLimitExceeded')],
    ['not_found', named('ResourceNotFoundException')],
    ['not_found', named('InvalidSubnetID.NotFound')],
    ['not_found', named('NoSuchBucket')],
    ['not_found', named('ValidationError', 'Stack with id reef does not exist')],
    ['unreachable', coded('ECONNREFUSED')],
    ['unreachable', coded('ENOTFOUND')],
    ['unreachable', named('TimeoutError')],
    ['other', named('ValidationError', 'The name is too long')],
    ['other', 'just text'],
    ['other', undefined],
  ] as const)('is %s: %p', (kind, error) => {
    expect(awsErrorKind(error)).toBe(kind);
  });
});

describe('through a real client', () => {
  const before = { ...process.env };
  let aws: AwsStandIn;
  beforeEach(async () => {
    aws = await startAwsStandIn();
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
    // No profile of this machine is read.
    Object.assign(process.env, aws.env, { HOME: '/nonexistent' });
  });
  afterEach(async () => {
    await aws.close();
    process.env = { ...before };
  });

  /** What a person reads. */
  async function failure(region?: string): Promise<AwsError> {
    const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
    const clients = createAws({ region });
    const call = { action: 'secretsmanager:GetSecretValue', resource: 'reef/api' };
    const asked = callAws(call, async () =>
      (await clients.secretsManager()).send(new GetSecretValueCommand({ SecretId: 'reef/api' })),
    );
    return asked.then(
      () => Promise.reject(new Error('it did not fail')),
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
  it.each(refusals)('%s is %s, said in one line with a hint', async (name, kind, reason, hint) => {
    aws.faults.refuse = () => ({ name, message: 'with\n two lines' });
    const error = await failure();
    expect(error).toMatchObject({ name: 'AwsError', kind, code: name, status: 400 });
    expect(error.message).toMatch(/^secretsmanager:GetSecretValue on reef\/api: .+$/);
    expect(error.message).toContain(reason);
    expect(error.message).not.toContain('\n');
    expect(error.hint).toMatch(hint);
    expect(error.hint).not.toContain('\n');
  });

  it('missing credentials are named, with how to get some', async () => {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    const error = await failure();
    expect(error).toMatchObject({ kind: 'no_credentials', hint: expect.stringContaining('AWS_PROFILE') });
    expect(error.message).toBe('secretsmanager:GetSecretValue on reef/api: there are no AWS credentials');
    expect(aws.calls).toEqual([]);
  });

  it('a missing region is named, with how to set one', async () => {
    delete process.env.AWS_REGION;
    expect(await failure()).toMatchObject({
      kind: 'no_region',
      message: 'secretsmanager:GetSecretValue on reef/api: no AWS region is set',
      hint: expect.stringContaining('AWS_REGION=ap-southeast-2'),
    });
  });

  it('a port where nobody listens is unreachable', async () => {
    process.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${await freePort()}`;
    const error = await failure('ap-southeast-2');
    expect(error).toMatchObject({ kind: 'unreachable', status: undefined, hint: expect.stringContaining('network') });
    expect(error.message).toMatch(/AWS does not answer: .*ECONNREFUSED/);
  });
});
