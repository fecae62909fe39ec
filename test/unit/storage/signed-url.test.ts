import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UrlSigner } from '../../../src/storage/signed-url.js';

const clock = { ms: 1_000_000_000_000 };
const signer = new UrlSigner('a secret', () => clock.ms);
const refused = expect.objectContaining({ kind: 'forbidden' });
const parts = (token: string, key: string) => [token, ...key.split('/')];

const file = 'TEST/1/2/a/b.txt';
const folder = 'TEST/1/2/';

describe('a download link', () => {
  const token = signer.sign('GET', file, 60);

  it('grants its file', () => {
    expect(signer.verify('GET', parts(token, file))).toBe(file);
  });

  it.each([
    ['another file', 'TEST/1/2/a/c.txt'],
    ['a file below it', `${file}/c`],
    ['its folder', 'TEST/1/2/a'],
    ['another job', 'TEST/2/2/a/b.txt'],
    ['nothing', ''],
  ])('does not grant %s', (_, key) => {
    expect(() => signer.verify('GET', parts(token, key))).toThrow(refused);
  });

  it('does not grant an upload', () => {
    expect(() => signer.verify('PUT', parts(token, file))).toThrow(refused);
  });

  it('ends with its time', () => {
    const short = new UrlSigner('a secret', () => clock.ms + 60_000);
    expect(short.verify('GET', parts(token, file))).toBe(file);
    const late = new UrlSigner('a secret', () => clock.ms + 60_001);
    expect(() => late.verify('GET', parts(token, file))).toThrow(refused);
  });

  it('is refused under another secret', () => {
    const other = new UrlSigner('another secret', () => clock.ms);
    expect(() => other.verify('GET', parts(token, file))).toThrow(refused);
  });

  it('is refused with a later time', () => {
    const [expiry = '', signature = ''] = token.split('.');
    expect(() => signer.verify('GET', parts(`${Number(expiry) + 1}.${signature}`, file))).toThrow(refused);
  });

  it.each(['', '.', 'x', '9999999999', '9999999999.', 'NaN.x', 'Infinity.x', '1e400.x', '-1.x', '..'])(
    'is refused with the token %j',
    (bad) => {
      expect(() => signer.verify('GET', parts(bad, file))).toThrow(refused);
    },
  );

  it('is refused with any character of it changed', () => {
    const change = (at: number) => `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
    fc.assert(
      fc.property(fc.nat(token.length - 1), (at) => {
        expect(() => signer.verify('GET', parts(change(at), file))).toThrow(refused);
      }),
    );
  });
});

describe('an upload link', () => {
  const token = signer.signUntil('PUT', folder, new Date(clock.ms + 60_000));

  it.each(['a.txt', 'a/b/c.txt'])('grants %s below its folder', (name) => {
    expect(signer.verify('PUT', parts(token, `${folder}${name}`))).toBe(`${folder}${name}`);
  });

  it.each([
    ['the folder of another attempt', 'TEST/1/3/a.txt'],
    ['a folder whose name begins alike', 'TEST/1/22/a.txt'],
    ['another job', 'TEST/2/2/a.txt'],
    ['another type', 'OTHER/1/2/a.txt'],
    ['a file above it', 'TEST/1/a.txt'],
    ['a file in the place of the folder', 'TEST/1/2'],
    ['nothing', ''],
  ])('does not grant %s', (_, key) => {
    expect(() => signer.verify('PUT', parts(token, key))).toThrow(refused);
  });

  it('does not grant parts that were one part in the URL', () => {
    expect(() => signer.verify('PUT', [token, 'TEST/1', '2', 'a.txt'])).toThrow(refused);
  });

  it('does not grant a download', () => {
    expect(() => signer.verify('GET', parts(token, `${folder}a.txt`))).toThrow(refused);
  });

  it('ends with its time', () => {
    const late = new UrlSigner('a secret', () => clock.ms + 60_001);
    expect(() => late.verify('PUT', parts(token, `${folder}a.txt`))).toThrow(refused);
  });
});
