import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  assess,
  isInside,
  metresPerDegree,
  polygon,
  type Ring,
  ringAt,
  type Site,
  sitesOn,
  square,
  workersDirectory,
} from './support.js';

const centre = [147.06, -18.63] as const;
const site100 = { x_dist: 100, y_dist: 100 };

function ids(features: Site[]): string[] {
  return features.map(({ properties }) => properties.site_id);
}

/** Spreads points over a site, a centimetre inside, because coordinates in the file are rounded to a centimetre. */
function samplePoints(site: Site, perSide: number): [number, number][] {
  const [ring] = site.geometry.coordinates;
  const lons = ring.map(([lon]) => lon);
  const lats = ring.map(([, lat]) => lat);
  const inset = 1e-7;
  const along = (values: number[], i: number) => {
    const [low, high] = [Math.min(...values) + inset, Math.max(...values) - inset];
    return low + ((high - low) * i) / (perSide - 1);
  };
  return Array.from({ length: perSide ** 2 }, (_, i) => [
    along(lons, i % perSide),
    along(lats, Math.floor(i / perSide)),
  ]);
}

async function builtInOutlines(): Promise<Map<string, Ring[]>> {
  const schema = z.object({
    features: z.array(
      z.object({
        properties: z.object({ name: z.string() }),
        geometry: z.object({ coordinates: z.array(z.array(z.tuple([z.number(), z.number()]))) }),
      }),
    ),
  });
  const source = await readFile(join(workersDirectory, 'data', 'reefs.geojson'), 'utf8');
  const { features } = schema.parse(JSON.parse(source));
  return new Map(features.map(({ properties, geometry }) => [properties.name, geometry.coordinates]));
}

describe('suitability-assessment on a square reef', () => {
  it.each([
    [100, 100, 100],
    [300, 300, 9],
    [250, 400, 8],
    [1000, 1000, 1],
    [1001, 10, 0],
  ])('lays sites of %d m × %d m exactly %d times', async (x_dist, y_dist, count) => {
    const { features, summary } = await sitesOn([polygon([ringAt(centre, square(500))])], { x_dist, y_dist });
    expect(features).toHaveLength(count);
    expect(summary.sites).toBe(count);
    expect(summary.reefs[0]?.area_km2).toBeCloseTo(1, 5);
  });

  it.each([0, -14.7, 23.5, -60])('lays sites of the requested size in metres at latitude %d', async (latitude) => {
    const { features } = await sitesOn([polygon([ringAt([150, latitude], square(500))])], { x_dist: 200, y_dist: 100 });
    expect(features).toHaveLength(50);
    const [[west, south] = [0, 0], , [east, north] = [0, 0]] = features[0]?.geometry.coordinates[0] ?? [];
    const scale = metresPerDegree(latitude);
    // Half a centimetre of rounding at each end.
    expect(Math.abs((east - west) * scale.longitude - 200)).toBeLessThan(0.02);
    expect(Math.abs((north - south) * scale.latitude - 100)).toBeLessThan(0.02);
  });

  it('leaves out sites that a lagoon enters and keeps sites that a lagoon only touches', async () => {
    const rings = [ringAt(centre, square(500)), ringAt(centre, square(200))];
    const touching = await sitesOn([polygon(rings)], site100);
    expect(touching.features).toHaveLength(100 - 16);
    expect(touching.summary.reefs[0]?.area_km2).toBeCloseTo(1 - 0.16, 5);

    const entered = await sitesOn([polygon([ringAt(centre, square(500)), ringAt(centre, square(201))])], site100);
    expect(entered.features).toHaveLength(100 - 36);
  });

  it('leaves out a site around a whole small lagoon', async () => {
    const lagoon = ringAt([centre[0] + 0.0004, centre[1] + 0.0004], square(5));
    const { features } = await sitesOn([polygon([ringAt(centre, square(500)), lagoon])], site100);
    expect(features).toHaveLength(99);
  });

  it('lays the same sites whichever way the rings run', async () => {
    const rings = [ringAt(centre, square(500)), ringAt(centre, square(230))];
    const plain = await sitesOn([polygon(rings)], { ...site100, threshold: 60 });
    const reversed = await sitesOn([polygon(rings.map((ring) => ring.toReversed()))], { ...site100, threshold: 60 });
    expect(ids(reversed.features)).toEqual(ids(plain.features));
  });

  it('lays sites on every part of a MultiPolygon', async () => {
    const parts = [ringAt(centre, square(500)), ringAt([centre[0] + 0.05, centre[1]], square(300))];
    const geometry = { type: 'MultiPolygon', coordinates: parts.map((ring) => [ring]) };
    const { features } = await sitesOn([{ type: 'Feature', properties: null, geometry }], { x_dist: 50, y_dist: 50 });
    // The second square lies off the lines of the grid, which costs a row and a column at most.
    expect(features.length).toBeGreaterThanOrEqual(400 + 11 * 11);
    expect(features.length).toBeLessThanOrEqual(400 + 12 * 12);
  });
});

describe('suitability-assessment with a threshold', () => {
  // Columns of 100 m from the west: 10 whole, and one of which 40 % is reef.
  const wide = ringAt(centre, [
    [-520, -500],
    [520, -500],
    [520, 500],
    [-520, 500],
  ]);

  it.each([
    [100, 100],
    [40.1, 100],
    [39.9, 110],
    [0, 110],
  ])('keeps, at %d %%, %d sites where a column is 40 %% on the reef', async (threshold, count) => {
    const { features } = await sitesOn([polygon([wide])], { ...site100, threshold });
    expect(features).toHaveLength(count);
  });

  it('reports for each site the percentage on the reef, lagoons subtracted', async () => {
    const lagoon = ringAt(centre, square(30));
    const { features } = await sitesOn([polygon([ringAt(centre, square(50)), lagoon])], { ...site100, threshold: 1 });
    expect(features.map(({ properties }) => properties.percent_on_reef)).toEqual([64]);
  });
});

describe('suitability-assessment on the built-in reefs', () => {
  it.each([
    ['Cairns-Cooktown', 60, 45],
    ['Townsville-Whitsunday', 100, 100],
    ['Mackay-Capricorn', 75, 150],
    ['FarNorthern', 40, 40],
  ])('lays sites of %s that lie inside by dense sampling and do not overlap', async (region, x_dist, y_dist) => {
    const outlines = await builtInOutlines();
    const { sites } = await assess({ region, reef_type: 'slopes', x_dist, y_dist });
    const features = sites?.features ?? [];
    expect(features.length).toBeGreaterThan(500);
    const outside = features.filter((site) => {
      const rings = outlines.get(site.properties.reef) ?? [];
      return !samplePoints(site, 7).every((point) => isInside(point, rings));
    });
    expect(ids(outside)).toEqual([]);
    expect(new Set(ids(features)).size).toBe(features.length);
    expect(new Set(features.map(({ geometry }) => JSON.stringify(geometry))).size).toBe(features.length);
  });
});
