import { bbox } from '@turf/bbox';
import { z } from 'zod';
import { InputError, oneLine, readJsonFile } from './job.mjs';
import { localProjection, signedArea } from './projection.mjs';

/**
 * @typedef {object} Reef
 * @property {string} name
 * @property {string} slug unique in its file; the start of its sites' ids, for example `flynn-reef`
 * @property {string | undefined} region
 * @property {string[] | undefined} reefTypes
 * @property {{ type: 'MultiPolygon', coordinates: [number, number][][][] }} outline longitude and latitude
 * @property {[number, number, number, number]} bounds west, south, east and north in degrees
 * @property {[number, number][][]} rings the outline in metres around the reef's centre; outer rings run anticlockwise,
 *   holes clockwise, whichever way the file has them
 * @property {ReturnType<typeof localProjection>} projection
 * @property {number} areaM2 holes subtracted
 */

const isPosition = (value) =>
  Array.isArray(value) && Number.isFinite(value[0] + value[1]) && Math.abs(value[0]) <= 180 && Math.abs(value[1]) < 90;
const ring = z
  .array(z.custom(isPosition, 'expected [longitude, latitude] in degrees'))
  .min(4, 'expected at least 4 positions')
  .refine(
    (positions) => String(positions[0]) === String(positions.at(-1)),
    'expected the last position to equal the first',
  );
const polygon = z.array(ring).min(1, 'expected a ring');
const geometry = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('Polygon'), coordinates: polygon }).transform(({ coordinates }) => [coordinates]),
    z
      .object({ type: z.literal('MultiPolygon'), coordinates: z.array(polygon).min(1, 'expected a polygon') })
      .transform(({ coordinates }) => coordinates),
  ],
  'expected a Polygon or MultiPolygon',
);
const feature = z.object({
  id: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).catch({}),
  geometry,
});
const collection = z.object(
  { type: z.literal('FeatureCollection'), features: z.array(feature).min(1, 'expected at least one feature') },
  'expected a GeoJSON FeatureCollection',
);

/**
 * Reads reef outlines from a GeoJSON FeatureCollection of Polygon and MultiPolygon features (RFC 7946).
 * @returns {Promise<Reef[]>} at least one
 * @throws {InputError} naming the fault and its path in the file
 */
export async function loadReefs(path) {
  const { features } = await readJsonFile(path, 'REEFS_FILE', collection);
  const slugs = new Set();
  return features.map(({ id, properties, geometry }, index) => {
    const name = oneLine(properties.name ?? id ?? '') || `Reef ${index + 1}`;
    const outline = { type: 'MultiPolygon', coordinates: geometry };
    const bounds = bbox(outline);
    const projection = localProjection(bounds);
    const rings = geometry.flatMap((polygon) =>
      polygon.map((positions, n) => orient(positions.map(projection.forward), n === 0)),
    );
    const areaM2 = rings.reduce((sum, ring) => sum + signedArea(ring), 0);
    if (!(areaM2 > 0)) {
      throw new InputError(`Invalid REEFS_FILE ${path}: features[${index}].geometry: expected an outline with an area`);
    }
    return {
      name,
      slug: uniqueSlug(name, slugs),
      region: oneLine(properties.region ?? '') || undefined,
      reefTypes: properties.reef_type == null ? undefined : [properties.reef_type].flat().map(String),
      outline,
      bounds,
      rings,
      projection,
      areaM2,
    };
  });
}

/**
 * Selects the reefs that a job asks for. A file whose reefs carry no `region` (or no `reef_type`) is not filtered by it.
 * @returns {{ reefs: Reef[], notApplied: string[] }} `notApplied` names the filters that the file has no property for
 * @throws {InputError} listing the known values, when no reef matches
 */
export function selectReefs(reefs, { region, reefType }) {
  const notApplied = [];
  let selected = reefs;
  const narrow = (input, wanted, getValues) => {
    const known = [...new Set(selected.flatMap((reef) => getValues(reef) ?? []))].sort();
    if (known.length === 0) return notApplied.push(input);
    selected = selected.filter((reef) => getValues(reef)?.some((value) => fold(value) === fold(wanted)));
    if (selected.length === 0) {
      throw new InputError(`Unknown ${input} "${oneLine(wanted)}": expected one of ${known.join(', ')}`);
    }
  };
  narrow('region', region, (reef) => reef.region && [reef.region]);
  narrow('reef_type', reefType, (reef) => reef.reefTypes);
  return { reefs: selected, notApplied };
}

/** Returns letters and digits only, in lower case: `Far Northern` and `FarNorthern` are the same region. */
function fold(value) {
  return value.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

function orient(ring, anticlockwise) {
  return signedArea(ring) > 0 === anticlockwise ? ring : ring.toReversed();
}

/** Returns the name as it stands in site ids, for example `One Tree Reef` → `one-tree-reef`, then `one-tree-reef-2`. */
function uniqueSlug(name, slugs) {
  const words = name.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ['reef'];
  const base = words.join('-');
  let slug = base;
  for (let n = 2; slugs.has(slug); n++) slug = `${base}-${n}`;
  slugs.add(slug);
  return slug;
}
