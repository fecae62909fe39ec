import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'dotenv';
import fc from 'fast-check';
import { generateKeys, readKeys } from '../../../src/accounts/signing-keys.js';
import { setVariables } from '../../../src/environment/env-file.js';
import { formatVariable } from '../../../src/environment/env-format.js';

let file: string;
beforeEach(async () => {
  file = path.join(await mkdtemp(path.join(os.tmpdir(), 'reefguide-env-')), '.env');
});
afterEach(() => rm(path.dirname(file), { recursive: true }));

const text = () => readFile(file, 'utf8');
const variables = async () => parse(await text());
const set = (values: Record<string, string>, force = false) => setVariables(file, values, { force });

/** Returns the values of variables after bash has sourced the file. */
function readWithBash(names: string[]): Record<string, string> {
  const script = 'source "$1"; shift; for name; do declare -n value=$name; printf "%s\\0" "$value"; done';
  const read = execFileSync('bash', ['-c', script, 'bash', file, ...names], { encoding: 'utf8' }).split('\0');
  return Object.fromEntries(names.map((name, n) => [name, read[n] ?? '']));
}

const pem = '-----BEGIN KEY-----\nAbC+/=\n-----END KEY-----\n';

describe('setVariables', () => {
  it('creates the file for its owner alone', async () => {
    await set({ A: '1' });
    expect(await variables()).toEqual({ A: '1' });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('keeps other lines', async () => {
    const before = '# my settings\nexport A = 1\n\nB="two\nlines" # why\nC=\'#3\'\n';
    await writeFile(file, before);
    await set({ D: '4' });
    expect(await text()).toMatch(before);
    expect(await variables()).toEqual({ A: '1', B: 'two\nlines', C: '#3', D: '4' });
  });

  it('appends to a file without a final line break', async () => {
    await writeFile(file, 'A=1');
    await set({ B: '2' });
    expect(await variables()).toEqual({ A: '1', B: '2' });
  });

  it('refuses to replace a variable, and names the variable without its value', async () => {
    await writeFile(file, 'A=secret\nB=2\n');
    const refused = set({ A: 'x', C: 'y' });
    await expect(refused).rejects.toThrow(/already sets A$/);
    await expect(refused).rejects.toMatchObject({ hint: expect.stringContaining('--force') });
    expect(await text()).toBe('A=secret\nB=2\n');
  });

  it.each([
    ['a plain value', 'A=old\n'],
    ['a quoted value', 'A="old"\n'],
    ['a value over several lines', 'A="-----BEGIN\nold\n-----END"\n'],
    ['a value in single quotes over several lines', "A='-----BEGIN\nold\n-----END'\n"],
    ['an exported variable', 'export A=old\n'],
    ['an indented variable', '  A = old # why\n'],
    ['a variable set twice', 'A=old\nA=old again\n'],
    ['an empty value', 'A=\n'],
    ['a variable at the end', 'A=old'],
  ])('replaces %s with force and keeps the rest', async (_, line) => {
    await writeFile(file, `# top\nZ=1\n${line}`);
    await set({ A: pem }, true);
    expect(await variables()).toEqual({ Z: '1', A: pem });
    expect(await text()).not.toContain('old');
    expect(await text()).toContain('# top\n');
  });

  it('keeps similar names with force', async () => {
    await writeFile(file, 'A_B=1\nBA=2\nB="\nA=3\n"\n# constructor\n');
    await set({ A: 'new' }, true);
    expect(await variables()).toEqual({ A_B: '1', BA: '2', B: '\nA=3\n', A: 'new' });
  });

  it('stores a key pair that can sign', async () => {
    const { privateKey, publicKey, keyId } = await generateKeys();
    await set({ JWT_PRIVATE_KEY: privateKey, JWT_PUBLIC_KEY: publicKey });
    const read = await variables();
    expect(read).toEqual({ JWT_PRIVATE_KEY: privateKey, JWT_PUBLIC_KEY: publicKey });
    readKeys({ privateKey: read.JWT_PRIVATE_KEY ?? '', publicKey: read.JWT_PUBLIC_KEY ?? '', keyId });
  });
});

/** Returns whether dotenv can certainly represent a value. A value with all three quotes, for example, may be impossible. */
const isRepresentable = (value: string) =>
  !(value.includes('\r') && value.includes('"')) &&
  ["'", '"', '`'].some((quote) => !value.includes(quote)) &&
  !/\\[nr]/.test(value) &&
  !value.endsWith('\\');

describe('formatVariable', () => {
  const special = [
    '"',
    "'",
    '\\',
    'n',
    '\n',
    '\r',
    '#',
    ' ',
    '$',
    '=',
    'é',
    '`',
    '{',
    '\t',
    'a',
    '珊',
    '🪸',
    '!',
    '(',
    ';',
  ];
  const values = fc.oneof(
    fc.string({ unit: fc.constantFrom(...special), maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 30 }),
  );

  it('writes any value so that dotenv and bash read the same bytes, or returns undefined', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(values, { minLength: 1, maxLength: 40 }), async (inputs) => {
        const lines = inputs.map((value, n) => [`V${n}`, value, formatVariable(`V${n}`, value)] as const);
        const formatted = lines.filter(([, , line]) => line !== undefined);
        for (const [, value, line] of lines)
          if (line === undefined) expect(value.includes('\0') || !isRepresentable(value)).toBe(true);
        await writeFile(file, formatted.map(([, , line]) => line).join(''));
        const expected = Object.fromEntries(formatted.map(([name, value]) => [name, value]));
        expect(await variables()).toEqual(expected);
        expect(readWithBash(formatted.map(([name]) => name))).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    pem,
    'a b',
    '',
    '$HOME `id` "quoted" \\n #x',
    '{"a": "b\\n"}',
    "it's",
    'it\'s "both"',
    'ends with \\',
    '\r\n',
    `'"\nEND_OF_A\ntouch owned\n`,
    `'"\nEND_OF_A_\nEND_OF_A\n$(touch owned)`,
    '!history !!',
    '\u2028line\u2029',
    '-n',
    '%s %d \\x41',
  ])('writes a value that dotenv and bash read back: %j', async (value) => {
    await set({ A: value, B: 'after' });
    expect(await variables()).toEqual({ A: value, B: 'after' });
    expect(readWithBash(['A', 'B'])).toEqual({ A: value, B: 'after' });
    await set({ A: 'replaced' }, true);
    expect(await variables()).toEqual({ A: 'replaced', B: 'after' });
    expect((await text()).split('\n')).toHaveLength(3);
  });

  it.each([`secret'"\`#`, 'secret\0'])(
    'rejects a value that no quotes can enclose without showing the value: %j',
    async (value) => {
      const refused = set({ A: value });
      await expect(refused).rejects.toThrow('Cannot write A into an .env file');
      await expect(refused).rejects.not.toThrow('secret');
    },
  );
});
