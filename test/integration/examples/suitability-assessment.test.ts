import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  assess,
  inTemporaryFolder,
  polygon,
  ringAt,
  run,
  sitesOn,
  square,
  workersFolder,
} from '../../unit/examples/support.js';

const place = [146.2, -16.8] as const;
const payload = { region: 'Cairns-Cooktown', reef_type: 'slopes', x_dist: 100, y_dist: 100 };

async function assessFile(content: string, input: Record<string, unknown> = payload) {
  return await inTemporaryFolder(async (folder) => {
    const file = join(folder, 'reefs.geojson');
    await writeFile(file, content);
    return await assess(input, { REEFS_FILE: file });
  });
}

function collection(...features: unknown[]): string {
  return JSON.stringify({ type: 'FeatureCollection', features });
}

/** The last line of standard error, which becomes the failed job's reason. */
function reason(stderr: string): string {
  return stderr.trimEnd().split('\n').at(-1) ?? '';
}

/** Fails unless each opened element is closed in order. */
function expectBalanced(svg: string): void {
  const open: string[] = [];
  for (const [, closing, name = '', selfClosing] of svg.matchAll(/<(\/?)([a-zA-Z]+)(?:[^<>]*?)(\/?)>/g)) {
    if (closing) expect(open.pop()).toBe(name);
    else if (!selfClosing) open.push(name);
  }
  expect(open).toEqual([]);
}

describe('suitability-assessment on the built-in reefs', () => {
  it('prints the strict result payload last and leaves the sites and a map', async () => {
    const { exitCode, stdout, files, sites } = await assess(payload);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toEqual({ geojson_path: 'sites.geojson' });
    expect(files).toEqual(['sites.geojson', 'sites.svg']);
    expect(sites?.summary.reefs.map(({ name }) => name)).toEqual(['Flynn Reef', 'Moore Reef']);
    // The number that README.md gives.
    expect(sites?.summary.sites).toBe(3427);
    expect(sites?.features).toHaveLength(3427);
    expect(sites?.summary.sites_area_km2).toBeCloseTo((sites?.summary.sites ?? 0) * 0.01, 6);
    expect(sites?.features[0]?.properties.area_m2).toBe(10_000);
  });

  it('tells its progress, which never goes back and ends at 1', async () => {
    const { stderr } = await assess(payload);
    const lines = stderr.trimEnd().split('\n');
    const fractions = lines.map((line) => Number(/^PROGRESS: (\d\.\d\d) \S/.exec(line)?.[1]));
    expect(fractions.length).toBeGreaterThanOrEqual(4);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
  });

  it('finds a region whatever its case and punctuation', async () => {
    const { sites } = await assess({ ...payload, region: 'far northern' });
    expect(sites?.summary.reefs.map(({ name }) => name)).toEqual(['Lizard Island Lagoon Reef']);
  });

  it('names the criteria that it did not apply', async () => {
    const { sites, svg } = await assess({ ...payload, depth_min: -9, depth_max: -2, slope_max: 40 });
    expect(sites?.summary.criteria_not_applied).toEqual(['depth_min', 'depth_max', 'slope_max']);
    expect(svg).toContain('depth, slope');
  });

  it('reads the job from standard input when there is no JOB_FILE', async () => {
    await inTemporaryFolder(async (folder) => {
      const program = join(workersFolder, 'suitability-assessment.mjs');
      const job = JSON.stringify({ input_payload: payload });
      const { exitCode } = await run([process.execPath, program], job, { OUTPUT_DIR: folder });
      expect(exitCode).toBe(0);
      expect((await readdir(folder)).sort()).toEqual(['sites.geojson', 'sites.svg']);
    });
  });

  it('succeeds with no sites where none fits', async () => {
    const { exitCode, sites, svg } = await assess({ ...payload, x_dist: 50_000, y_dist: 50_000 });
    expect(exitCode).toBe(0);
    expect(sites?.features).toEqual([]);
    expectBalanced(svg);
  });
});

describe('the map', () => {
  it.each(['Cairns-Cooktown', 'FarNorthern'])(
    'of %s is a balanced document with names, scale and north',
    async (region) => {
      const { svg, sites } = await assess({ ...payload, region });
      expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="1280"/);
      expectBalanced(svg);
      for (const { name } of sites?.summary.reefs ?? []) expect(svg).toContain(name);
      expect(svg).toContain('>N</text>');
      expect(svg).toMatch(/>\d+ k?m<\/text>/);
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    },
  );

  it('escapes names', async () => {
    const reef = polygon([ringAt(place, square(500))], { name: 'A <b> & "c"\u0000', region: 'Cairns-Cooktown' });
    const { svg, exitCode } = await assessFile(collection(reef));
    expect(exitCode).toBe(0);
    expect(svg).toContain('A &lt;b&gt; &amp; &quot;c&quot;<');
    expectBalanced(svg);
  });
});

describe('outlines without the properties that choose reefs', () => {
  it('are all used, and the summary says that the filters were not applied', async () => {
    const features = [polygon([ringAt(place, square(500))]), polygon([ringAt([150, -20], square(500))])];
    const { summary } = await sitesOn(features, { x_dist: 500, y_dist: 500 });
    expect(summary.reefs.map(({ name }) => name)).toEqual(['Reef 1', 'Reef 2']);
    expect(summary.criteria_not_applied).toEqual(['region', 'reef_type']);
  });

  it('keep site ids unique when names repeat', async () => {
    const features = [1, 2].map(() => polygon([ringAt(place, square(500))], { name: 'Twin' }));
    const sites = await sitesOn(features, { x_dist: 500, y_dist: 500 });
    expect(new Set(sites.features.map(({ properties }) => properties.site_id)).size).toBe(8);
  });
});

describe('bad input ends with exit code 1 and a reason on one line', () => {
  it.each([
    [
      { ...payload, region: 'Atlantis' },
      /no reef has region 'Atlantis'; there are: Cairns-Cooktown, FarNorthern, Mackay/,
    ],
    [{ ...payload, reef_type: 'walls' }, /no reef has reef_type 'walls'; there are: flats, slopes/],
    [{ ...payload, region: undefined }, /^region must be a text$/],
    [{ ...payload, x_dist: 0 }, /^x_dist must be a number of metres, 1 or more$/],
    [{ ...payload, y_dist: '100' }, /^y_dist must be a number of metres/],
    [{ ...payload, threshold: 101 }, /^threshold must be a percentage from 0 to 100$/],
    [{ ...payload, x_dist: 1, y_dist: 1 }, /candidate sites, and 2,000,000 is the limit: make x_dist or y_dist larger/],
    ['no object', /holds no job/],
  ])('%j', async (input, message) => {
    const { exitCode, stderr, stdout, files } = await assess(input);
    expect(exitCode).toBe(1);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(reason(stderr)).toMatch(message);
    expect(stdout).toBe('');
    expect(files).toEqual([]);
  });

  it('a REEFS_FILE that is not there', async () => {
    const { exitCode, stderr } = await assess(payload, { REEFS_FILE: 'missing.geojson' });
    expect(exitCode).toBe(1);
    expect(reason(stderr)).toBe('cannot read REEFS_FILE missing.geojson: ENOENT');
  });

  const ring = ringAt(place, square(500));
  const line = [1, 2, 3, 1].map((n): [number, number] => [n, n]);
  const beyond = [1, 2, 600, 1].map((n): [number, number] => [n, n]);
  const point = { type: 'Feature', geometry: { type: 'Point', coordinates: [1, 2] } };
  it.each([
    ['cut short', '{"type":', /is not valid JSON/],
    ['that is a list', '[]', /is not a GeoJSON FeatureCollection/],
    ['with no features', collection(), /has no features/],
    ['with a point', collection(point), /feature 1 .*is not a Polygon/],
    ['with no geometry', collection({ type: 'Feature', geometry: null }), /is not a Polygon or MultiPolygon/],
    ['with no rings', collection(polygon([])), /is not a Polygon or MultiPolygon with coordinates/],
    ['with a ring too short', collection(polygon([ring.slice(0, 3)])), /ring 1 needs at least 4 positions/],
    ['with an open ring', collection(polygon([ring.slice(0, 4)])), /ring 1 is not closed/],
    ['with a place off the Earth', collection(polygon([ring, beyond])), /ring 2, position 3 is not \[longitude/],
    ['with a flat ring', collection(polygon([line])), /the outline encloses no area/],
  ])('a REEFS_FILE %s', async (_what, content, message) => {
    const { exitCode, stderr } = await assessFile(content);
    expect(exitCode).toBe(1);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(reason(stderr)).toMatch(message);
  });
});
