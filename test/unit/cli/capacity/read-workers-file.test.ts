import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readWorkersFile } from '../../../../src/cli/capacity/read-workers-file.js';

let file: string;
beforeAll(async () => {
  file = path.join(await mkdtemp(path.join(os.tmpdir(), 'reefguide-workers-')), 'workers.json');
});
afterAll(() => rm(path.dirname(file), { recursive: true }));

const read = async (content: unknown) => {
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readWorkersFile(file);
};
const worker = { name: 'test', jobTypes: ['TEST'], scaling: { max: 2 } };

describe('readWorkersFile', () => {
  it('returns groups with defaults', async () => {
    expect(await read({ workers: [worker] })).toEqual([
      {
        name: 'test',
        jobTypes: ['TEST'],
        command: [],
        env: {},
        entryPoint: undefined,
        scaling: { min: 0, max: 2, factor: 1, sensitivity: 1, cooldownSeconds: 0, policy: { kind: 'logarithmic' } },
      },
    ]);
  });

  it.each<[string, unknown, string]>([
    ['that is not JSON', '{', 'JSON'],
    ['without workers', { workers: [] }, 'workers: '],
    ['with a bad name', { workers: [{ ...worker, name: 'Test' }] }, 'workers.0.name: expected lower-case letters'],
    ['without job types', { workers: [{ ...worker, jobTypes: [] }] }, 'workers.0.jobTypes: '],
    ['without a maximum', { workers: [{ ...worker, scaling: {} }] }, 'workers.0.scaling.max: '],
    ['with min above max', { workers: [{ ...worker, scaling: { min: 3, max: 2 } }] }, 'min is above max'],
    ['with an unknown field', { workers: [{ ...worker, more: 1 }] }, 'more'],
    ['with two groups of one name', { workers: [worker, worker] }, 'two groups are named test'],
  ])('refuses a file %s, with the file and the reason', async (_, content, reason) => {
    await expect(read(content)).rejects.toThrow(reason);
    await expect(read(content)).rejects.toThrow(file);
  });

  it('refuses a missing file', async () => {
    await expect(readWorkersFile(`${file}.none`)).rejects.toThrow('there is no such file');
  });
});
