import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAws } from '../../../src/aws/clients.js';
import { parseSecretReference, secretFields, secretValue } from '../../../src/aws/secret-arn.js';
import { createSecretReader, openSecret } from '../../../src/aws/secrets-manager.js';
import { type AwsStandIn, startAwsStandIn } from '../../support/fakes/aws.js';
import { until } from '../../support/until.js';

const arn = 'arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:reef/api-AbCdEf';
const hidden = 'hunter2-hunter2';

describe('a reference', () => {
  const none = { jsonKey: undefined, versionStage: undefined, versionId: undefined };
  it.each([
    [arn, { arn, ...none }],
    [`${arn}:KEY`, { arn, ...none, jsonKey: 'KEY' }],
    [`${arn}:KEY::`, { arn, ...none, jsonKey: 'KEY' }],
    [`${arn}:KEY:AWSPREVIOUS`, { arn, ...none, jsonKey: 'KEY', versionStage: 'AWSPREVIOUS' }],
    [`${arn}:KEY:AWSPREVIOUS:`, { arn, ...none, jsonKey: 'KEY', versionStage: 'AWSPREVIOUS' }],
    [`${arn}:KEY::9d4cb84b`, { arn, ...none, jsonKey: 'KEY', versionId: '9d4cb84b' }],
    [`${arn}::AWSCURRENT:`, { arn, ...none, versionStage: 'AWSCURRENT' }],
    [`${arn}:::`, { arn, ...none }],
    [arn.replace('aws', 'aws-cn'), { arn: arn.replace('aws', 'aws-cn'), ...none }],
  ])('%s', (given, meant) => {
    expect(parseSecretReference(given)).toEqual(meant);
  });

  it.each([
    '',
    'reef/api',
    'arn:aws:ssm:ap-southeast-2:123456789012:parameter/reef',
    'arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:',
    'arn:aws:secretsmanager::123456789012:secret:name',
    'arn:aws:secretsmanager:ap-southeast-2::secret:name',
    `${arn}:KEY:STAGE:ID:MORE`,
  ])('"%s" is none', (given) => {
    expect(() => parseSecretReference(given)).toThrow('not a reference to a Secrets Manager secret');
  });
});

describe('the value', () => {
  it.each([
    ['a whole string', 'not: json', undefined, 'not: json'],
    ['a field', '{"a":"one","b":"two"}', 'b', 'two'],
    ['an empty field', '{"a":""}', 'a', ''],
    ['a number', '{"port":5432}', 'port', '5432'],
    ['an object', '{"a":{"b":[1]}}', 'a', '{"b":[1]}'],
  ])('of %s', (_, secret, key, value) => {
    expect(secretValue(secret, key)).toBe(value);
  });

  it.each([
    ['is no JSON', hidden, 'the secret is not JSON'],
    ['is a JSON string', JSON.stringify(hidden), 'the secret is not a JSON object'],
    ['is a list', JSON.stringify([hidden]), 'the secret is not a JSON object'],
    ['is null', 'null', 'the secret is not a JSON object'],
    ['lacks the field', JSON.stringify({ other: hidden }), 'the secret has no field KEY'],
    ['has null there', JSON.stringify({ KEY: null, other: hidden }), 'the secret has no field KEY'],
    ['is cut off', `{"KEY": "${hidden}`, 'the secret is not JSON'],
  ])('of a secret that %s is an error that shows nothing of it', (_, secret, message) => {
    let thrown: unknown;
    try {
      secretValue(secret, 'KEY');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ message });
    expect(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown))).not.toContain(hidden);
  });

  it('is never something that every object has', () => {
    expect(() => secretValue('{}', 'constructor')).toThrow('no field constructor');
    expect(secretFields('{"__proto__":{"a":1}}')).not.toHaveProperty('a');
  });
});

describe('in Secrets Manager', () => {
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

  it('20 variables out of 4 secrets are 4 calls, all made before the first is answered', async () => {
    const arns = Array.from({ length: 4 }, (_, n) => aws.putSecret(`s${n}`, `value ${n}`));
    aws.faults.hang = () => true;
    const read = createSecretReader(createAws());
    const reading = Array.from({ length: 20 }, (_, n) => read({ arn: arns[n % 4] ?? '' }));
    for (const one of reading) one.catch(() => {});
    await until(() => aws.count('GetSecretValue') === 4);
    aws.faults.hang = undefined;
    const again = createSecretReader(createAws());
    const values = await Promise.all(Array.from({ length: 20 }, (_, n) => again({ arn: arns[n % 4] ?? '' })));
    expect(new Set(values)).toEqual(new Set(['value 0', 'value 1', 'value 2', 'value 3']));
    expect(aws.count('GetSecretValue')).toBe(8);
  });

  it('versions of one secret are read each, and once', async () => {
    const secret = aws.putSecret('s', 'now');
    aws.putSecret('s', 'before', 'AWSPREVIOUS');
    aws.putSecret('s', 'of then', 'id-1');
    const read = createSecretReader(createAws());
    const versions = [{}, { versionStage: 'AWSPREVIOUS' }, { versionId: 'id-1' }, { versionStage: 'AWSPREVIOUS' }];
    const values = await Promise.all(versions.map((version) => read({ arn: secret, ...version })));
    expect(values).toEqual(['now', 'before', 'of then', 'before']);
    expect(aws.sent('GetSecretValue')).toHaveLength(3);
  });

  it('a secret that is not there is made', async () => {
    const secret = await openSecret(createAws(), 'reef/new');
    expect([secret.exists, secret.fields]).toEqual([false, {}]);
    expect(await secret.save({ A: '1' })).toEqual({ arn: aws.secretArn('reef/new') });
    expect(aws.secret('reef/new')).toBe('{"A":"1"}');
  });

  it('a secret that has no value yet is filled', async () => {
    aws.putSecret('reef/empty', undefined);
    await (await openSecret(createAws(), 'reef/empty')).save({ A: '1' });
    expect(aws.secret('reef/empty')).toBe('{"A":"1"}');
  });

  it.each([hidden, `["${hidden}"]`])(
    'a secret that is no JSON object (%#) is refused, unchanged and not shown',
    async (text) => {
      aws.putSecret('reef/other', text);
      const opening = openSecret(createAws(), 'reef/other');
      await expect(opening).rejects.toMatchObject({
        message: expect.stringMatching(/^Nothing was written to reef\/other: the secret is not/),
      });
      await expect(opening).rejects.not.toMatchObject({ message: expect.stringContaining(hidden) });
      expect(aws.count('PutSecretValue')).toBe(0);
    },
  );

  it('a refusal to read is told, and nothing is made in place of the secret', async () => {
    aws.faults.refuse = (action) => (action === 'GetSecretValue' ? { name: 'AccessDeniedException' } : undefined);
    await expect(openSecret(createAws(), 'reef/api')).rejects.toMatchObject({ kind: 'denied' });
    expect(aws.count('CreateSecret')).toBe(0);
  });
});
