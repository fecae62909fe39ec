import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { inTemporaryDirectory, runExample, workersDirectory } from './support.js';

const program = ['sh', join(workersDirectory, 'data-specification-update.sh')];

const specificationSchema = z.strictObject({
  checksum: z.literal('POSIX cksum'),
  files: z.array(z.strictObject({ name: z.string(), bytes: z.number(), cksum: z.number(), lines: z.number() })),
  file_count: z.number(),
  total_bytes: z.number(),
});

async function specify(env: Record<string, string>) {
  return await inTemporaryDirectory(async (directory) => {
    const outcome = await runExample(program, directory, { cache_buster: 1 }, env);
    expect(await readdir(directory)).toEqual(outcome.exitCode === 0 ? ['data-specification.json'] : []);
    const read = async () =>
      specificationSchema.parse(JSON.parse(await readFile(join(directory, 'data-specification.json'), 'utf8')));
    return { ...outcome, specification: outcome.exitCode === 0 ? await read() : undefined };
  });
}

/** Computes the CRC of POSIX cksum, bit by bit: the bytes, then the number of bytes, least significant byte first. */
function cksum(content: Buffer): number {
  const bytes = [...content];
  for (let length = content.length; length > 0; length >>>= 8) bytes.push(length & 0xff);
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return ~crc >>> 0;
}

describe('data-specification-update', () => {
  it('describes the built-in data and prints an empty result last', async () => {
    const { exitCode, stdout, stderr, specification } = await specify({});
    const content = await readFile(join(workersDirectory, 'data', 'reefs.geojson'));
    expect(exitCode).toBe(0);
    expect(stdout).toBe('{}\n');
    expect(stderr).toBe('PROGRESS: 1.00 "reefs.geojson"\n');
    expect(specification?.files).toEqual([
      {
        name: 'reefs.geojson',
        bytes: content.length,
        cksum: cksum(content),
        lines: content.toString().split('\n').length - 1,
      },
    ]);
  });

  it('writes any file name as valid JSON and leaves directories out', async () => {
    const names = ['%s', '-n', '\\0101', 'a "quoted" \\ name', 'line\nbreak\ttab\n', 'réef 珊瑚.csv'];
    await inTemporaryDirectory(async (data) => {
      await mkdir(join(data, 'directory'));
      for (const name of names) await writeFile(join(data, name), name);
      await writeFile(Buffer.concat([Buffer.from(`${data}/z`), Buffer.from([0xe9])]), '');
      const { specification, stderr } = await specify({ DATA_DIR: data });
      expect(specification?.files.map(({ name }) => name).sort()).toEqual([...names, 'zé'].sort());
      for (const { name, bytes, cksum: sum } of specification?.files.slice(0, names.length) ?? []) {
        expect({ bytes, sum }).toEqual({ bytes: Buffer.byteLength(name), sum: cksum(Buffer.from(name)) });
      }
      expect(specification?.file_count).toBe(names.length + 1);
      expect(stderr.trimEnd().split('\n')).toHaveLength(names.length + 1);
    });
  });

  it('lists nothing for an empty directory', async () => {
    await inTemporaryDirectory(async (data) => {
      const { specification } = await specify({ DATA_DIR: data });
      expect(specification).toEqual({ checksum: 'POSIX cksum', files: [], file_count: 0, total_bytes: 0 });
    });
  });

  it('fails with a reason when DATA_DIR does not exist', async () => {
    const { exitCode, stderr } = await specify({ DATA_DIR: 'missing-directory' });
    expect(exitCode).toBe(1);
    expect(stderr).toBe('Invalid DATA_DIR missing-directory: expected a directory\n');
  });
});
