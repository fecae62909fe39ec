import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { looksSecret, mask, Redactor } from '../../../../src/executions/logs/redact.js';

const secret = 'hunter2-Pa55/word+é';
const redact = (text: string, values: readonly string[] = [secret]) => new Redactor(values).redact(text);

describe('Redactor', () => {
  it.each([
    ['a value alone', secret],
    ['a value within a text', `password=${secret};`],
    ['a value that comes twice', `${secret} ${secret}`],
    ['a value in JSON', JSON.stringify({ password: secret })],
    ['a value in a URL', `https://x?password=${encodeURIComponent(secret)}&y`],
    ['a value in base64', Buffer.from(secret).toString('base64')],
    ['a value in base64url', Buffer.from(secret).toString('base64url')],
    ['a value in hexadecimal', Buffer.from(secret).toString('hex')],
  ])('masks %s', (_, text) => {
    const shown = redact(text);
    expect(shown).toContain(mask);
    expect(shown).not.toContain(secret);
    expect(shown.length).toBeLessThan(text.length);
  });

  it('masks a value in base64 of a longer text, wherever the value begins', () => {
    for (const before of ['', 'u', 'us', 'user:', 'a user:'])
      for (const after of ['', '\n', 'xy']) {
        const encoded = Buffer.from(before + secret + after).toString('base64');
        const shown = redact(encoded);
        expect(shown).toContain(mask);
        // At most the characters remain that also hold bits of a neighbouring byte.
        expect(shown.replace(mask, '').length).toBeLessThanOrEqual(
          encoded.length - Math.floor((Buffer.byteLength(secret) * 8) / 6) + 2,
        );
      }
  });

  it('masks a value in base64 that is wrapped at 76 columns', () => {
    const long = 'an uncommonly long secret, as keys of certificates are: '.repeat(4);
    const lines =
      Buffer.from(`${long}\n`)
        .toString('base64')
        .match(/.{1,76}/g) ?? [];
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.map((line) => redact(line, [long]))).toEqual(lines.map(() => mask));
  });

  it('masks a value of several lines line by line', () => {
    const key = '-----BEGIN KEY-----\nabcdefgh\nijklmnop\n-----END KEY-----';
    expect(key.split('\n').map((line) => redact(line, [key]))).toEqual([mask, mask, mask, mask]);
  });

  it('masks no value that is shorter than three characters', () => {
    expect(redact('1 ab    2', ['1', 'ab', '   '])).toBe('1 ab    2');
  });
});

describe('values that overlap', () => {
  it('are redacted whole', () => {
    expect(redact('a secret1secret b', ['secret1', '1secret'])).toBe('a *** b');
  });

  it('masks a value that contains another', () => {
    expect(redact('-xabcy-abc-', ['abc', 'xabcy'])).toBe('-***-***-');
  });
});

it('leaves no value in any text', () => {
  const value = fc
    .string({ unit: 'grapheme-ascii', minLength: 3, maxLength: 12 })
    .filter((text) => text.trim().length > 2);
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(9)), (values, order) => {
      const text = order.map((n) => values[n] ?? `${n}`).join('');
      const shown = redact(text, values);
      // Skips values with asterisks, because the mask may contain them.
      for (const secretValue of values) if (!/\*/.test(secretValue)) expect(shown).not.toContain(secretValue);
    }),
  );
});

it('leaves a text without the values alone', () => {
  expect(redact('nothing to see')).toBe('nothing to see');
  expect(redact('x', [])).toBe('x');
});

it.each([
  ['DB_PASSWORD', true],
  ['GITHUB_TOKEN', true],
  ['MY_SECRET', true],
  ['API_KEY', true],
  ['APIKEY', true],
  ['AWS_SECRET_ACCESS_KEY', true],
  ['SSH_PRIVATE_KEY', true],
  ['db_password_file', true],
  ['KEY', true],
  ['PWD', false],
  ['DB_PWD', true],
  ['MONKEY', false],
  ['REGION', false],
  ['KEYBOARD', false],
])('looksSecret: answers for %s: %s', (name, expected) => {
  expect(looksSecret(name)).toBe(expected);
});
