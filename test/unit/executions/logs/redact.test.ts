import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createRedactor, looksSecret, mask } from '../../../../src/executions/logs/redact.js';

const secret = 'hunter2-Pa55/word+é';
const redact = createRedactor([secret]);

describe('a value', () => {
  it.each([
    ['alone', secret],
    ['inside of a text', `password=${secret};`],
    ['twice', `${secret} ${secret}`],
    ['in JSON', JSON.stringify({ password: secret })],
    ['in a URL', `https://x?password=${encodeURIComponent(secret)}&y`],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in base64url', Buffer.from(secret).toString('base64url')],
    ['in hexadecimal', Buffer.from(secret).toString('hex')],
  ])('%s is masked', (_, text) => {
    const shown = redact(text);
    expect(shown).toContain(mask);
    expect(shown).not.toContain(secret);
    expect(shown.length).toBeLessThan(text.length);
  });

  it('is masked in base64 of a text that holds it, wherever it begins', () => {
    for (const before of ['', 'u', 'us', 'user:', 'a user:'])
      for (const after of ['', '\n', 'xy']) {
        const encoded = Buffer.from(before + secret + after).toString('base64');
        const shown = redact(encoded);
        expect(shown).toContain(mask);
        // Of the encoded value itself at most the characters remain that a neighbour shares.
        expect(shown.replace(mask, '').length).toBeLessThanOrEqual(
          encoded.length - Math.floor((Buffer.byteLength(secret) * 8) / 6) + 2,
        );
      }
  });

  it('is masked in base64 that is wrapped at 76 columns', () => {
    const long = 'an uncommonly long secret, as keys of certificates are: '.repeat(4);
    const lines =
      Buffer.from(`${long}\n`)
        .toString('base64')
        .match(/.{1,76}/g) ?? [];
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.map(createRedactor([long]))).toEqual(lines.map(() => mask));
  });

  it('of several lines is masked line by line', () => {
    const key = '-----BEGIN KEY-----\nabcdefgh\nijklmnop\n-----END KEY-----';
    expect(key.split('\n').map(createRedactor([key]))).toEqual([mask, mask, mask, mask]);
  });

  it('that is shorter than three characters hides nothing', () => {
    expect(createRedactor(['1', 'ab', '   '])('1 ab    2')).toBe('1 ab    2');
  });
});

describe('several values', () => {
  it('that overlap are hidden whole', () => {
    expect(createRedactor(['secret1', '1secret'])('a secret1secret b')).toBe('a *** b');
  });

  it('of which one holds the other are hidden whole', () => {
    expect(createRedactor(['abc', 'xabcy'])('-xabcy-abc-')).toBe('-***-***-');
  });
});

it('whatever stands around it, no value is left in a text', () => {
  const value = fc
    .string({ unit: 'grapheme-ascii', minLength: 3, maxLength: 12 })
    .filter((text) => text.trim().length > 2);
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(9)), (values, order) => {
      const text = order.map((n) => values[n] ?? `${n}`).join('');
      const shown = createRedactor(values)(text);
      // The mask itself may spell a value that is made of asterisks.
      for (const one of values) if (!/\*/.test(one)) expect(shown).not.toContain(one);
    }),
  );
});

it('a text without any of the values stays as it is', () => {
  expect(redact('nothing to see')).toBe('nothing to see');
  expect(createRedactor([])('x')).toBe('x');
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
])('%s looks secret: %s', (name, expected) => {
  expect(looksSecret(name)).toBe(expected);
});
