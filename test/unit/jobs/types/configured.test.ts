import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readConfiguredTypes } from '../../../../src/jobs/types/configured.js';
import type { JobType } from '../../../../src/jobs/types/registry.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'reefguide-types-'));
});
afterEach(() => rm(directory, { recursive: true }));

const write = (file: string, content: unknown) =>
  writeFile(path.join(directory, file), typeof content === 'string' ? content : JSON.stringify(content));
const read = (takenNames: string[] = ['TEST']) => readConfiguredTypes(directory, takenNames);

const bleaching = {
  name: 'BLEACHING_FORECAST',
  input: {
    type: 'object',
    properties: {
      region: { type: 'string' },
      weeks: { type: 'integer', minimum: 1, default: 4 },
      options: { type: 'object', properties: { fine: { type: 'boolean', default: false } }, default: {} },
    },
    required: ['region'],
    additionalProperties: false,
  },
  result: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  expiryMinutes: 90,
  maxAttempts: 2,
};

async function onlyType(): Promise<JobType> {
  const [type, ...others] = await read();
  if (!type || others.length > 0) throw new Error('expected one type');
  return type;
}

describe('readConfiguredTypes: valid file', () => {
  it('declares a type', async () => {
    await write('bleaching.json', bleaching);
    expect(await onlyType()).toMatchObject({
      name: 'BLEACHING_FORECAST',
      expiryMinutes: 90,
      maxAttempts: 2,
      inputSchema: bleaching.input,
      resultSchema: bleaching.result,
    });
  });

  it('accepts any result, within 60 minutes and 3 attempts, by default', async () => {
    await write('small.json', { name: 'SMALL', input: true });
    const type = await onlyType();
    expect(type).toMatchObject({ expiryMinutes: 60, maxAttempts: 3 });
    expect(type.checkResult({ anything: [1] }).ok).toBe(true);
  });

  it('fills in the defaults of the schema at every level', async () => {
    await write('bleaching.json', bleaching);
    expect((await onlyType()).checkInput({ region: 'north' })).toEqual({
      ok: true,
      value: { region: 'north', weeks: 4, options: { fine: false } },
    });
  });

  it('does not change the payload', async () => {
    await write('bleaching.json', bleaching);
    const payload = { region: 'north' };
    (await onlyType()).checkInput(payload);
    expect(payload).toEqual({ region: 'north' });
  });

  it.each([
    [{ region: 1 }, 'region', 'must be string'],
    [{ region: 'a', weeks: 0 }, 'weeks', 'must be >= 1'],
    [{ region: 'a', options: { fine: 1 } }, 'options.fine', 'must be boolean'],
    [{ region: 'a', extra: 1 }, '', 'must NOT have additional properties: extra'],
    [{}, '', "must have required property 'region'"],
    [null, '', 'must be object'],
    [undefined, '', 'must be object'],
  ])('refuses the input %j at "%s"', async (payload, at, message) => {
    await write('bleaching.json', bleaching);
    expect((await onlyType()).checkInput(payload)).toEqual({ ok: false, issues: [{ path: at, message }] });
  });

  it('checks results', async () => {
    await write('bleaching.json', bleaching);
    const type = await onlyType();
    expect(type.checkResult({ path: 'a.nc' }).ok).toBe(true);
    expect(type.checkResult({}).ok).toBe(false);
  });
});

describe('readConfiguredTypes: directory', () => {
  it('declares no type when the directory is missing', async () => {
    expect(await readConfiguredTypes(path.join(directory, 'none'), [])).toEqual([]);
  });

  it('reads JSON files in the order of names and skips the rest', async () => {
    await write('b.json', { ...bleaching, name: 'B' });
    await write('a.json', { ...bleaching, name: 'A' });
    await write('README.md', 'not a type');
    expect((await read()).map(({ name }) => name)).toEqual(['A', 'B']);
  });
});

describe('readConfiguredTypes: invalid file', () => {
  it.each<[string, unknown, string]>([
    ['not JSON', '{ "name": ', 'JSON'],
    ['an empty file', '', 'JSON'],
    ['not an object', '[]', 'the file: '],
    ['no name', { input: {} }, 'name: '],
    ['a lower-case name', { ...bleaching, name: 'bleaching' }, 'name: expected upper-case letters, digits and _'],
    ['no input', { name: 'X' }, 'input: '],
    ['an unknown field', { ...bleaching, inputs: {} }, 'inputs'],
    ['an expiry of zero', { ...bleaching, expiryMinutes: 0 }, 'expiryMinutes: '],
    ['no attempts', { ...bleaching, maxAttempts: 0 }, 'maxAttempts: '],
    ['half an attempt', { ...bleaching, maxAttempts: 1.5 }, 'maxAttempts: '],
    ['a wrong schema', { ...bleaching, input: { type: 'objekt' } }, 'input: '],
    ['a misspelt keyword', { ...bleaching, input: { type: 'object', propertees: {} } }, 'propertees'],
    ['a dangling reference', { ...bleaching, result: { $ref: '#/$defs/none' } }, 'result: '],
    ['another draft', { ...bleaching, input: { $schema: 'http://json-schema.org/draft-07/schema#' } }, 'draft-07'],
    ['a type that is built in', { ...bleaching, name: 'TEST' }, 'job type TEST is already declared'],
  ])('rejects %s with the path, the reason and a hint', async (_, content, reason) => {
    await write('bad.json', content);
    await expect(read()).rejects.toMatchObject({
      name: 'SetupError',
      message: expect.stringContaining(path.join(directory, 'bad.json')),
      hint: 'Correct the file or move it out of the directory.',
    });
    await expect(read()).rejects.toThrow(reason);
  });

  it('rejects a directory with the name of a file', async () => {
    await mkdir(path.join(directory, 'bad.json'));
    await expect(read()).rejects.toThrow(/bad\.json: /);
  });

  it('rejects the second declaration of a type with the path of the second file', async () => {
    await write('a.json', bleaching);
    await write('b.json', bleaching);
    await expect(read()).rejects.toThrow(/b\.json: job type BLEACHING_FORECAST is already declared/);
  });
});
