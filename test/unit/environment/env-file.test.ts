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

/** What bash has in the variables after it sourced the file. */
function sourced(names: string[]): Record<string, string> {
  const script = 'source "$1"; shift; for name; do declare -n value=$name; printf "%s\\0" "$value"; done';
  const read = execFileSync('bash', ['-c', script, 'bash', file, ...names], { encoding: 'utf8' }).split('\0');
  return Object.fromEntries(names.map((name, n) => [name, read[n] ?? '']));
}

const pem = '-----BEGIN KEY-----\nAbC+/=\n-----END KEY-----\n';

describe('setVariables', () => {
  it('makes the file, for its owner alone', async () => {
    await set({ A: '1' });
    expect(await variables()).toEqual({ A: '1' });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('keeps the other lines as they are', async () => {
    const before = '# my settings\nexport A = 1\n\nB="two\nlines" # why\nC=\'#3\'\n';
    await writeFile(file, before);
    await set({ D: '4' });
    expect(await text()).toMatch(before);
    expect(await variables()).toEqual({ A: '1', B: 'two\nlines', C: '#3', D: '4' });
  });

  it('adds to a file without a line break at its end', async () => {
    await writeFile(file, 'A=1');
    await set({ B: '2' });
    expect(await variables()).toEqual({ A: '1', B: '2' });
  });

  it('refuses to replace what is set, naming it but not its value', async () => {
    await writeFile(file, 'A=secret\nB=2\n');
    const refused = set({ A: 'x', C: 'y' });
    await expect(refused).rejects.toThrow(/already sets A$/);
    await expect(refused).rejects.toMatchObject({ hint: expect.stringContaining('--force') });
    expect(await text()).toBe('A=secret\nB=2\n');
  });

  it.each([
    ['a plain value', 'A=old\n'],
    ['a quoted one', 'A="old"\n'],
    ['one over several lines', 'A="-----BEGIN\nold\n-----END"\n'],
    ['one in single quotes over several lines', "A='-----BEGIN\nold\n-----END'\n"],
    ['an exported one', 'export A=old\n'],
    ['an indented one', '  A = old # why\n'],
    ['one set twice', 'A=old\nA=older\n'],
    ['an empty one', 'A=\n'],
    ['one at the very end', 'A=old'],
  ])('with force replaces %s and keeps the rest', async (_, line) => {
    await writeFile(file, `# top\nZ=1\n${line}`);
    await set({ A: pem }, true);
    expect(await variables()).toEqual({ Z: '1', A: pem });
    expect(await text()).not.toContain('old');
    expect(await text()).toContain('# top\n');
  });

  it('with force keeps a name that only looks alike', async () => {
    await writeFile(file, 'A_B=1\nBA=2\nB="\nA=3\n"\n# constructor\n');
    await set({ A: 'new' }, true);
    expect(await variables()).toEqual({ A_B: '1', BA: '2', B: '\nA=3\n', A: 'new' });
  });

  it('keeps a key pair that signs', async () => {
    const { privateKey, publicKey, keyId } = await generateKeys();
    await set({ JWT_PRIVATE_KEY: privateKey, JWT_PUBLIC_KEY: publicKey });
    const read = await variables();
    expect(read).toEqual({ JWT_PRIVATE_KEY: privateKey, JWT_PUBLIC_KEY: publicKey });
    readKeys({ privateKey: read.JWT_PRIVATE_KEY ?? '', publicKey: read.JWT_PUBLIC_KEY ?? '', keyId });
  });
});

/** Whether dotenv can surely hold the value: what has all three quotes, say, may be out of its reach. */
const holdable = (value: string) =>
  !(value.includes('\r') && value.includes('"')) &&
  ["'", '"', '`'].some((quote) => !value.includes(quote)) &&
  !/\\[nr]/.test(value) &&
  !value.endsWith('\\');

describe('a value is read back byte for byte', () => {
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

  it('by dotenv and by bash, or is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(values, { minLength: 1, maxLength: 40 }), async (given) => {
        const lines = given.map((value, n) => [`V${n}`, value, formatVariable(`V${n}`, value)] as const);
        const held = lines.filter(([, , line]) => line !== undefined);
        for (const [, value, line] of lines)
          if (line === undefined) expect(value.includes('\0') || !holdable(value)).toBe(true);
        await writeFile(file, held.map(([, , line]) => line).join(''));
        const expected = Object.fromEntries(held.map(([name, value]) => [name, value]));
        expect(await variables()).toEqual(expected);
        expect(sourced(held.map(([name]) => name))).toEqual(expected);
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
  ])('by dotenv and by bash: %j', async (value) => {
    await set({ A: value, B: 'after' });
    expect(await variables()).toEqual({ A: value, B: 'after' });
    expect(sourced(['A', 'B'])).toEqual({ A: value, B: 'after' });
    await set({ A: 'replaced' }, true);
    expect(await variables()).toEqual({ A: 'replaced', B: 'after' });
    expect((await text()).split('\n')).toHaveLength(3);
  });

  it.each([`secret'"\`#`, 'secret\0'])(
    'or is refused, when nothing holds it, without being shown: %j',
    async (value) => {
      const refused = set({ A: value });
      await expect(refused).rejects.toThrow('The value of A cannot be written');
      await expect(refused).rejects.not.toThrow('secret');
    },
  );
});
