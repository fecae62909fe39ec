import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { assess, inTemporaryDirectory, polygon, ringAt, run, sitesOn, square, workersDirectory } from './support.js';

const centre = [146.2, -16.8] as const;
const payload = { region: 'Cairns-Cooktown', reef_type: 'slopes', x_dist: 100, y_dist: 100 };

async function assessFile(content: string, input: Record<string, unknown> = payload) {
  return await inTemporaryDirectory(async (directory) => {
    const file = join(directory, 'reefs.geojson');
    await writeFile(file, content);
    return await assess(input, { REEFS_FILE: file });
  });
}

function collection(...features: unknown[]): string {
  return JSON.stringify({ type: 'FeatureCollection', features });
}

/** Returns the last line of standard error, which becomes the failed job's reason. */
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
  it('prints the strict result payload last and writes the sites and a map', async () => {
    const { exitCode, stdout, files, sites } = await assess(payload);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toEqual({ geojson_path: 'sites.geojson' });
    expect(files).toEqual(['sites.geojson', 'sites.svg']);
    expect(sites?.summary.reefs.map(({ name }) => name)).toEqual(['Flynn Reef', 'Moore Reef']);
    // README.md names the same number.
    expect(sites?.summary.sites).toBe(3427);
    expect(sites?.features).toHaveLength(3427);
    expect(sites?.summary.sites_area_km2).toBeCloseTo((sites?.summary.sites ?? 0) * 0.01, 6);
    expect(sites?.features[0]?.properties.area_m2).toBe(10_000);
  });

  it('reports progress that never goes back and ends at 1', async () => {
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

  it('names the criteria that were not applied', async () => {
    const { sites, svg } = await assess({ ...payload, depth_min: -9, depth_max: -2, slope_max: 40 });
    expect(sites?.summary.criteria_not_applied).toEqual(['depth_min', 'depth_max', 'slope_max']);
    expect(svg).toContain('depth, slope');
  });

  it('reads the job from standard input when there is no JOB_FILE', async () => {
    await inTemporaryDirectory(async (directory) => {
      const program = join(workersDirectory, 'suitability-assessment.mjs');
      const job = JSON.stringify({ input_payload: payload });
      const { exitCode } = await run([process.execPath, program], job, { OUTPUT_DIR: directory });
      expect(exitCode).toBe(0);
      expect((await readdir(directory)).sort()).toEqual(['sites.geojson', 'sites.svg']);
    });
  });

  it('succeeds with no sites where none fits', async () => {
    const { exitCode, sites, svg } = await assess({ ...payload, x_dist: 50_000, y_dist: 50_000 });
    expect(exitCode).toBe(0);
    expect(sites?.features).toEqual([]);
    expectBalanced(svg);
  });
});

describe('suitability-assessment: the map', () => {
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

  it('shows land in the overview and in the legend where the coast is near', async () => {
    const { svg } = await assess(payload);
    expect(svg).toMatch(/<path d="M[^"]+" class="land"/);
    expect(svg).toContain('>land</text>');
    expect(svg).toContain('Natural Earth');
  });

  it('names no land in the legend of an overview of the open sea', async () => {
    const reefs = [polygon([ringAt([157, -18], square(500))]), polygon([ringAt([157.1, -18], square(500))])];
    const { svg } = await assessFile(collection(...reefs));
    expect(svg).toContain('>Overview</text>');
    expect(svg).not.toMatch(/class="land"|>land<|Natural Earth/);
  });

  it('escapes names', async () => {
    const reef = polygon([ringAt(centre, square(500))], { name: 'A <b> & "c"\u0000', region: 'Cairns-Cooktown' });
    const { svg, exitCode } = await assessFile(collection(reef));
    expect(exitCode).toBe(0);
    expect(svg).toContain('A &lt;b&gt; &amp; &quot;c&quot;<');
    expectBalanced(svg);
  });
});

describe('suitability-assessment on outlines without region and reef_type', () => {
  it('uses all outlines and names the filters in criteria_not_applied', async () => {
    const features = [polygon([ringAt(centre, square(500))]), polygon([ringAt([150, -20], square(500))])];
    const { summary } = await sitesOn(features, { x_dist: 500, y_dist: 500 });
    expect(summary.reefs.map(({ name }) => name)).toEqual(['Reef 1', 'Reef 2']);
    expect(summary.criteria_not_applied).toEqual(['region', 'reef_type']);
  });

  it('keeps site ids unique when names repeat', async () => {
    const features = [1, 2].map(() => polygon([ringAt(centre, square(500))], { name: 'Twin' }));
    const sites = await sitesOn(features, { x_dist: 500, y_dist: 500 });
    expect(new Set(sites.features.map(({ properties }) => properties.site_id)).size).toBe(8);
  });
});

describe('suitability-assessment: bad input', () => {
  it.each([
    [
      { ...payload, region: 'Atlantis' },
      /^Unknown region "Atlantis": expected one of Cairns-Cooktown, FarNorthern, Mackay/,
    ],
    [{ ...payload, reef_type: 'walls' }, /^Unknown reef_type "walls": expected one of flats, slopes$/],
    [{ ...payload, region: undefined }, /^Invalid region: expected a text$/],
    [{ ...payload, x_dist: 0 }, /^Invalid x_dist: expected a number of metres, 1 or more$/],
    [{ ...payload, y_dist: '100' }, /^Invalid y_dist: expected a number of metres/],
    [{ ...payload, threshold: 101 }, /^Invalid threshold: expected a percentage from 0 to 100$/],
    [
      { ...payload, x_dist: 1, y_dist: 1 },
      /^Too many candidate sites: [\d,]+, expected at most 2,000,000. Make x_dist or y_dist larger/,
    ],
    ['no object', /^Invalid JOB_FILE \S+: input_payload: expected an object$/],
  ])('ends with exit code 1 and a reason on one line: %j', async (input, message) => {
    const { exitCode, stderr, stdout, files } = await assess(input);
    expect(exitCode).toBe(1);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(reason(stderr)).toMatch(message);
    expect(stdout).toBe('');
    expect(files).toEqual([]);
  });

  it('ends with exit code 1 and a reason for a REEFS_FILE that does not exist', async () => {
    const { exitCode, stderr } = await assess(payload, { REEFS_FILE: 'missing.geojson' });
    expect(exitCode).toBe(1);
    expect(reason(stderr)).toBe('Cannot read REEFS_FILE missing.geojson: ENOENT');
  });

  const ring = ringAt(centre, square(500));
  const line = [1, 2, 3, 1].map((n): [number, number] => [n, n]);
  const beyond = [1, 2, 600, 1].map((n): [number, number] => [n, n]);
  const point = { type: 'Feature', geometry: { type: 'Point', coordinates: [1, 2] } };
  it.each([
    ['cut short', '{"type":', /expected JSON/],
    ['that is a list', '[]', /expected a GeoJSON FeatureCollection$/],
    ['with no features', collection(), /features: expected at least one feature$/],
    ['with a point', collection(point), /features\[0\]\.geometry(\.type)?: expected a Polygon or MultiPolygon$/],
    [
      'with no geometry',
      collection({ type: 'Feature', geometry: null }),
      /features\[0\]\.geometry: expected a Polygon or MultiPolygon$/,
    ],
    ['with no rings', collection(polygon([])), /features\[0\]\.geometry\.coordinates: expected a ring$/],
    [
      'with a ring too short',
      collection(polygon([ring.slice(0, 3)])),
      /coordinates\[0\]: expected at least 4 positions$/,
    ],
    [
      'with an open ring',
      collection(polygon([ring.slice(0, 4)])),
      /coordinates\[0\]: expected the last position to equal the first$/,
    ],
    [
      'with a position off the Earth',
      collection(polygon([ring, beyond])),
      /coordinates\[1\]\[2\]: expected \[longitude/,
    ],
    ['with a flat ring', collection(polygon([line])), /features\[0\]\.geometry: expected an outline with an area$/],
  ])('ends with exit code 1 and a reason on one line: a REEFS_FILE %s', async (_title, content, message) => {
    const { exitCode, stderr } = await assessFile(content);
    expect(exitCode).toBe(1);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(reason(stderr)).toMatch(message);
  });
});
