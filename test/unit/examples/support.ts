import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export type Ring = [number, number][];

export const projectRoot = fileURLToPath(new URL('../../../', import.meta.url));
export const workersFolder = join(projectRoot, 'examples', 'workers');

/** A folder that is removed when the work is done. */
export async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'reefguide-example-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export interface Outcome {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Runs an example as a worker does: the job on standard input and in JOB_FILE. */
export async function runExample(
  command: string[],
  outputDir: string,
  payload: unknown,
  env: Record<string, string> = {},
): Promise<Outcome> {
  const job = JSON.stringify({ id: 7, type: 'ANY', input_payload: payload });
  return await inTemporaryFolder(async (folder) => {
    const jobFile = join(folder, 'job.json');
    await writeFile(jobFile, job);
    return await run(command, job, { OUTPUT_DIR: outputDir, JOB_FILE: jobFile, ...env });
  });
}

/** `env` is added to the environment that the tests run in, without what would change an example's defaults. */
export async function run(command: string[], input: string, env: Record<string, string>): Promise<Outcome> {
  const { REEFS_FILE: _reefs, DATA_DIR: _data, JOB_FILE: _job, OUTPUT_DIR: _output, ...rest } = process.env;
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env: { ...rest, ...env } });
  // A program that does not read its input may have ended before it is written.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const exit = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { exitCode, stdout, stderr };
}

const ringSchema = z.array(z.tuple([z.number(), z.number()]));

export const summarySchema = z.object({
  candidates: z.number(),
  sites: z.number(),
  sites_area_km2: z.number(),
  threshold_percent: z.number(),
  criteria_not_applied: z.array(z.string()),
  reefs: z.array(z.object({ name: z.string(), area_km2: z.number(), candidates: z.number(), sites: z.number() })),
});

export const siteSchema = z.object({
  type: z.literal('Feature'),
  properties: z.object({
    site_id: z.string(),
    reef: z.string(),
    area_m2: z.number(),
    percent_on_reef: z.number(),
    lon: z.number(),
    lat: z.number(),
  }),
  geometry: z.object({ type: z.literal('Polygon'), coordinates: z.tuple([ringSchema.length(5)]) }),
});

const sitesSchema = z.object({
  type: z.literal('FeatureCollection'),
  summary: summarySchema,
  features: z.array(siteSchema),
});

export type Site = z.infer<typeof siteSchema>;
export type Sites = z.infer<typeof sitesSchema>;

const suitability = [process.execPath, join(workersFolder, 'suitability-assessment.mjs')];

/** Runs the suitability example; `files` is what it left in the output folder. */
export async function assess(payload: unknown, env: Record<string, string> = {}) {
  return await inTemporaryFolder(async (folder) => {
    const outcome = await runExample(suitability, folder, payload, env);
    const files = (await readdir(folder)).sort();
    const svg = files.includes('sites.svg') ? await readFile(join(folder, 'sites.svg'), 'utf8') : '';
    const read = async (): Promise<Sites> =>
      sitesSchema.parse(JSON.parse(await readFile(join(folder, 'sites.geojson'), 'utf8')));
    return { ...outcome, files, svg, sites: outcome.exitCode === 0 ? await read() : undefined };
  });
}

/** The sites that the example lays on the given outlines. Fails when the example fails. */
export async function sitesOn(features: unknown[], payload: Record<string, unknown>): Promise<Sites> {
  return await inTemporaryFolder(async (folder) => {
    const file = join(folder, 'reefs.geojson');
    await writeFile(file, JSON.stringify({ type: 'FeatureCollection', features }));
    const { sites, stderr } = await assess({ region: 'any', reef_type: 'any', ...payload }, { REEFS_FILE: file });
    if (!sites) throw new Error(stderr);
    return sites;
  });
}

export function polygon(rings: Ring[], properties: Record<string, unknown> = {}) {
  return { type: 'Feature', properties, geometry: { type: 'Polygon', coordinates: rings } };
}

/** Ray casting by the even-odd rule over all rings. */
export function isInside([x, y]: readonly [number, number], rings: Ring[]): boolean {
  let inside = false;
  for (const ring of rings) {
    ring.forEach(([x2, y2], i) => {
      const [x1, y1] = ring[i === 0 ? ring.length - 1 : i - 1] ?? [x2, y2];
      if (y1 > y !== y2 > y && x < x1 + ((x2 - x1) * (y - y1)) / (y2 - y1)) inside = !inside;
    });
  }
  return inside;
}

/**
 * Metres in a degree of latitude and of longitude, from distances between points on the WGS 84 ellipsoid in space: no
 * formula is shared with the example.
 */
export function metresPerDegree(latitude: number): { latitude: number; longitude: number } {
  const step = 1e-3;
  const point = (lon: number, lat: number) => {
    const [phi, lambda] = [(lat * Math.PI) / 180, (lon * Math.PI) / 180];
    const [a, b] = [6378137, 6378137 * (1 - 1 / 298.257223563)];
    const reduced = Math.atan2(b * Math.sin(phi), a * Math.cos(phi));
    const radius = a * Math.cos(reduced);
    return [radius * Math.cos(lambda), radius * Math.sin(lambda), b * Math.sin(reduced)] as const;
  };
  const distance = (p: readonly [number, number, number], q: readonly [number, number, number]) =>
    Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
  return {
    latitude: distance(point(0, latitude - step / 2), point(0, latitude + step / 2)) / step,
    longitude: distance(point(0, latitude), point(step, latitude)) / step,
  };
}

/** A closed ring of metres east and north of a place, as longitude and latitude. */
export function ringAt([lon, lat]: readonly [number, number], metres: Ring): Ring {
  const scale = metresPerDegree(lat);
  const positions = metres.map(([x, y]): [number, number] => [lon + x / scale.longitude, lat + y / scale.latitude]);
  const [first] = positions;
  return first ? [...positions, first] : [];
}

/** A square with the given half side in metres, anticlockwise. */
export function square(half: number): Ring {
  return [
    [-half, -half],
    [half, -half],
    [half, half],
    [-half, half],
  ];
}
