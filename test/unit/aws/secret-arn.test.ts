import { describe, expect, it } from '@jest/globals';
import { parseSecretFields, parseSecretReference, toSecretValue } from '../../../src/aws/secret-arn.js';

const arn = 'arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:reef/api-AbCdEf';
const hidden = 'hunter2-hunter2';

describe('parseSecretReference', () => {
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
  ])('parses %s', (valueFrom, reference) => {
    expect(parseSecretReference(valueFrom)).toEqual(reference);
  });

  it.each([
    '',
    'reef/api',
    'arn:aws:ssm:ap-southeast-2:123456789012:parameter/reef',
    'arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:',
    'arn:aws:secretsmanager::123456789012:secret:name',
    'arn:aws:secretsmanager:ap-southeast-2::secret:name',
    `${arn}:KEY:STAGE:ID:MORE`,
  ])('refuses "%s"', (valueFrom) => {
    expect(() => parseSecretReference(valueFrom)).toThrow('not a reference to a Secrets Manager secret');
  });
});

describe('toSecretValue', () => {
  it.each([
    ['a whole string', 'not: json', undefined, 'not: json'],
    ['a field', '{"a":"one","b":"two"}', 'b', 'two'],
    ['an empty field', '{"a":""}', 'a', ''],
    ['a number', '{"port":5432}', 'port', '5432'],
    ['an object', '{"a":{"b":[1]}}', 'a', '{"b":[1]}'],
  ])('returns %s', (_, secret, key, value) => {
    expect(toSecretValue(secret, key)).toBe(value);
  });

  it.each([
    ['is not JSON', hidden, 'the secret is not JSON'],
    ['is a JSON string', JSON.stringify(hidden), 'the secret is not a JSON object'],
    ['is a list', JSON.stringify([hidden]), 'the secret is not a JSON object'],
    ['is null', 'null', 'the secret is not a JSON object'],
    ['lacks the field', JSON.stringify({ other: hidden }), 'the secret has no field KEY'],
    ['has null there', JSON.stringify({ KEY: null, other: hidden }), 'the secret has no field KEY'],
    ['is truncated', `{"KEY": "${hidden}`, 'the secret is not JSON'],
  ])('throws an error without the secret when the secret %s', (_, secret, message) => {
    let thrown: unknown;
    try {
      toSecretValue(secret, 'KEY');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ message });
    expect(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown))).not.toContain(hidden);
  });

  it('never returns properties that every object has', () => {
    expect(() => toSecretValue('{}', 'constructor')).toThrow('no field constructor');
    expect(parseSecretFields('{"__proto__":{"a":1}}')).not.toHaveProperty('a');
  });
});
