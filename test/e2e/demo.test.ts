import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { runProgram } from '../support/program.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'reefguide-demo-'));
  // Only this user may enter, as in many home directories.
  await chmod(directory, 0o700);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

it('dev --demo: runs its jobs to downloaded results and exits with 0', async () => {
  const ports = ['--port', '0', '--orchestrator-port', '0', '--processor-port', '0'];
  const { code, stdout, stderr } = await runProgram(['dev', '--demo', ...ports], {
    cwd: directory,
    env: { NO_COLOR: '1' },
  });
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  expect(stderr).toContain('Ran a command: 5 lines came live; exit code 0');
  const files = stdout.match(/^ {2}\S+$/gm)?.map((line) => path.join(directory, line.trim())) ?? [];
  expect(files.map((file) => path.basename(file)).sort()).toEqual([
    'data-specification.json',
    'sites.geojson',
    'sites.svg',
  ]);
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
  const sites: unknown = JSON.parse(await readFile(files.find((file) => file.endsWith('.geojson')) ?? '', 'utf8'));
  expect(sites).toMatchObject({
    type: 'FeatureCollection',
    features: expect.arrayContaining([expect.objectContaining({ type: 'Feature' })]),
  });
  expect(existsSync(path.join(directory, '.reefguide/dev.json'))).toBe(false);
});
