import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAws } from '../../../src/aws/clients.js';
import { readJsonSecret, SecretReader, writeJsonSecret } from '../../../src/aws/secrets-manager.js';
import { type FakeAws, startFakeAws } from '../../support/fakes/aws.js';
import { until } from '../../support/until.js';

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

describe('SecretReader', () => {
  it('reads 20 variables of 4 secrets by 4 calls, all sent before the first answer', async () => {
    const arns = Array.from({ length: 4 }, (_, n) => aws.putSecret(`s${n}`, `value ${n}`));
    const read20 = (reader: SecretReader) =>
      Array.from({ length: 20 }, (_, n) => reader.read({ arn: arns[n % 4] ?? '' }));
    aws.faults.hang = () => true;
    for (const read of read20(new SecretReader(createAws()))) read.catch(() => {});
    await until(() => aws.count('GetSecretValue') === 4);
    aws.faults.hang = undefined;
    const values = await Promise.all(read20(new SecretReader(createAws())));
    expect(new Set(values)).toEqual(new Set(['value 0', 'value 1', 'value 2', 'value 3']));
    expect(aws.count('GetSecretValue')).toBe(8);
  });

  it('reads each version of a secret once', async () => {
    const secret = aws.putSecret('s', 'now');
    aws.putSecret('s', 'before', 'AWSPREVIOUS');
    aws.putSecret('s', 'of then', 'id-1');
    const reader = new SecretReader(createAws());
    const versions = [{}, { versionStage: 'AWSPREVIOUS' }, { versionId: 'id-1' }, { versionStage: 'AWSPREVIOUS' }];
    const values = await Promise.all(versions.map((version) => reader.read({ arn: secret, ...version })));
    expect(values).toEqual(['now', 'before', 'of then', 'before']);
    expect(aws.sent('GetSecretValue')).toHaveLength(3);
  });
});

describe('readJsonSecret and writeJsonSecret', () => {
  it('create a secret that does not exist', async () => {
    const secret = await readJsonSecret(createAws(), 'reef/new');
    expect(secret).toEqual({ exists: false, fields: {} });
    const arn = await writeJsonSecret(createAws(), 'reef/new', { ...secret, fields: { A: '1' } });
    expect(arn).toBe(aws.secretArn('reef/new'));
    expect(aws.secret('reef/new')).toBe('{"A":"1"}');
  });

  it('fill a secret that has no value yet', async () => {
    aws.putSecret('reef/empty', undefined);
    const secret = await readJsonSecret(createAws(), 'reef/empty');
    await writeJsonSecret(createAws(), 'reef/empty', { ...secret, fields: { A: '1' } });
    expect(aws.secret('reef/empty')).toBe('{"A":"1"}');
  });

  it.each([hidden, `["${hidden}"]`])(
    'refuse a secret that is not a JSON object (%#), unchanged and without its value',
    async (text) => {
      aws.putSecret('reef/other', text);
      const reading = readJsonSecret(createAws(), 'reef/other');
      await expect(reading).rejects.toMatchObject({
        message: expect.stringMatching(/^Nothing was written to reef\/other: the secret is not/),
      });
      await expect(reading).rejects.not.toMatchObject({ message: expect.stringContaining(hidden) });
      expect(aws.count('PutSecretValue')).toBe(0);
    },
  );

  it('report a refusal to read, and create no secret', async () => {
    aws.faults.refuse = (action) => (action === 'GetSecretValue' ? { name: 'AccessDeniedException' } : undefined);
    await expect(readJsonSecret(createAws(), 'reef/api')).rejects.toMatchObject({ kind: 'denied' });
    expect(aws.count('CreateSecret')).toBe(0);
  });
});
