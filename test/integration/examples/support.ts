import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { booleanPointInPolygon } from '@turf/boolean-point-in-polygon';
import { z } from 'zod';

export type Ring = [number, number][];

export const projectRoot = fileURLToPath(new URL('../../../', import.meta.url));
export const workersDirectory = join(projectRoot, 'examples', 'workers');

/** Removes the directory when the work is done. */
export async function inTemporaryDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'reefguide-example-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true });
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
  return await inTemporaryDirectory(async (directory) => {
    const jobFile = join(directory, 'job.json');
    await writeFile(jobFile, job);
    return await run(command, job, { OUTPUT_DIR: outputDir, JOB_FILE: jobFile, ...env });
  });
}

/** Runs a command with `env` added to the environment of the tests, minus variables that change the defaults of an example. */
export async function run(command: string[], input: string, env: Record<string, string>): Promise<Outcome> {
  const { REEFS_FILE: _reefs, DATA_DIR: _data, JOB_FILE: _job, OUTPUT_DIR: _output, ...rest } = process.env;
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env: { ...rest, ...env } });
  // A program that reads no input may end before the input is written.
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

const suitability = [process.execPath, join(workersDirectory, 'suitability-assessment.mjs')];

/** Runs the suitability example; `files` are the names in the output directory afterwards. */
export async function assess(payload: unknown, env: Record<string, string> = {}) {
  return await inTemporaryDirectory(async (directory) => {
    const outcome = await runExample(suitability, directory, payload, env);
    const files = (await readdir(directory)).sort();
    const svg = files.includes('sites.svg') ? await readFile(join(directory, 'sites.svg'), 'utf8') : '';
    const read = async (): Promise<Sites> =>
      sitesSchema.parse(JSON.parse(await readFile(join(directory, 'sites.geojson'), 'utf8')));
    return { ...outcome, files, svg, sites: outcome.exitCode === 0 ? await read() : undefined };
  });
}

/** Lays sites on outlines with the example. Throws when the example fails. */
export async function sitesOn(features: unknown[], payload: Record<string, unknown>): Promise<Sites> {
  return await inTemporaryDirectory(async (directory) => {
    const file = join(directory, 'reefs.geojson');
    await writeFile(file, JSON.stringify({ type: 'FeatureCollection', features }));
    const { sites, stderr } = await assess({ region: 'any', reef_type: 'any', ...payload }, { REEFS_FILE: file });
    if (!sites) throw new Error(stderr);
    return sites;
  });
}

export function polygon(rings: Ring[], properties: Record<string, unknown> = {}) {
  return { type: 'Feature', properties, geometry: { type: 'Polygon', coordinates: rings } };
}

/** Tells whether a point lies within the rings of a polygon, holes excepted. */
export function isInside([x, y]: readonly [number, number], rings: Ring[]): boolean {
  return booleanPointInPolygon([x, y], { type: 'Polygon', coordinates: rings });
}

/**
 * Returns the metres in a degree of latitude and of longitude, from distances between points on the WGS 84 ellipsoid in
 * space, so no formula is shared with the example.
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

/** Converts metres east and north of a centre to a closed ring of longitudes and latitudes. */
export function ringAt([lon, lat]: readonly [number, number], metres: Ring): Ring {
  const scale = metresPerDegree(lat);
  const positions = metres.map(([x, y]): [number, number] => [lon + x / scale.longitude, lat + y / scale.latitude]);
  const [first] = positions;
  return first ? [...positions, first] : [];
}

/** Returns the corners of a square, anticlockwise, from half the length of a side in metres. */
export function square(half: number): Ring {
  return [
    [-half, -half],
    [half, -half],
    [half, half],
    [-half, half],
  ];
}
