import { InputError, isObject, oneLine, parseJson, readTextFile } from './job.mjs';
import { boundsOf, localProjection, signedArea } from './projection.mjs';

/**
 * @typedef {object} Reef
 * @property {string} name
 * @property {string} slug unique in its file; the start of its sites' ids
 * @property {string | undefined} region
 * @property {string[] | undefined} reefTypes
 * @property {[number, number][][]} outline all rings, outer and holes, in longitude and latitude
 * @property {[number, number][][]} rings the same in metres around the reef's centre; outer rings run anticlockwise, holes
 *   clockwise, whichever way the file has them
 * @property {ReturnType<typeof localProjection>} projection
 * @property {number} areaM2 holes subtracted
 */

/**
 * Reads reef outlines from a GeoJSON FeatureCollection of Polygon and MultiPolygon features (RFC 7946).
 * @returns {Promise<Reef[]>} at least one
 * @throws {InputError} naming the feature and what is wrong with it
 */
export async function loadReefs(path) {
  const collection = parseJson(await readTextFile(path, 'REEFS_FILE'), `REEFS_FILE ${path}`);
  if (!isObject(collection) || collection.type !== 'FeatureCollection' || !Array.isArray(collection.features)) {
    throw new InputError('BAD_REEFS', `REEFS_FILE ${path} is not a GeoJSON FeatureCollection`);
  }
  if (collection.features.length === 0) throw new InputError('BAD_REEFS', `REEFS_FILE ${path} has no features`);
  const slugs = new Set();
  return collection.features.map((feature, index) => readReef(feature, index, slugs));
}

/**
 * The reefs a job asks for. A file whose reefs carry no `region` (or no `reef_type`) is not filtered by it.
 * @returns {{ reefs: Reef[], notApplied: string[] }} `notApplied` names the filters that the file has no property for
 * @throws {InputError} listing what there is, when nothing matches
 */
export function selectReefs(reefs, { region, reefType }) {
  const notApplied = [];
  let selected = reefs;
  const narrow = (input, wanted, valuesOf) => {
    const known = [...new Set(selected.flatMap((reef) => valuesOf(reef) ?? []))].sort();
    if (known.length === 0) return notApplied.push(input);
    const matching = selected.filter((reef) => valuesOf(reef)?.some((value) => fold(value) === fold(wanted)));
    if (matching.length === 0) {
      throw new InputError(
        'NO_SUCH_REEFS',
        `no reef has ${input} '${oneLine(wanted)}'; there are: ${known.join(', ')}`,
      );
    }
    selected = matching;
  };
  narrow('region', region, (reef) => reef.region && [reef.region]);
  narrow('reef_type', reefType, (reef) => reef.reefTypes);
  return { reefs: selected, notApplied };
}

/** Letters and digits only, in lower case: 'Far Northern' and 'farnorthern' are the same region. */
function fold(value) {
  return value.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

function readReef(feature, index, slugs) {
  if (!isObject(feature)) throw new InputError('BAD_REEFS', `feature ${index + 1} is not a GeoJSON Feature`);
  const properties = isObject(feature.properties) ? feature.properties : {};
  const name = oneLine(properties.name ?? feature.id ?? '') || `Reef ${index + 1}`;
  const label = `feature ${index + 1} (${name})`;
  const polygons = polygonsOf(feature.geometry, label);
  polygons.forEach((polygon, p) => {
    if (!Array.isArray(polygon) || polygon.length === 0) {
      throw new InputError('BAD_REEFS', `${label}: polygon ${p + 1} has no rings`);
    }
    polygon.forEach((ring, r) => {
      checkRing(ring, `${label}: polygon ${p + 1}, ring ${r + 1}`);
    });
  });
  const outline = polygons.flat();
  const { west, south, east, north } = boundsOf(outline);
  const projection = localProjection([(west + east) / 2, (south + north) / 2]);
  const rings = polygons.flatMap((polygon) => polygon.map((ring, r) => orient(ring.map(projection.forward), r === 0)));
  const areaM2 = rings.reduce((sum, ring) => sum + signedArea(ring), 0);
  if (!(areaM2 > 0)) throw new InputError('BAD_REEFS', `${label}: the outline encloses no area`);
  return {
    name,
    slug: uniqueSlug(name, slugs),
    region: oneLine(properties.region ?? '') || undefined,
    reefTypes: properties.reef_type == null ? undefined : [properties.reef_type].flat().map(String),
    outline,
    rings,
    projection,
    areaM2,
  };
}

function polygonsOf(geometry, label) {
  const { type, coordinates } = isObject(geometry) ? geometry : {};
  if ((type !== 'Polygon' && type !== 'MultiPolygon') || !Array.isArray(coordinates) || coordinates.length === 0) {
    throw new InputError('BAD_REEFS', `${label} is not a Polygon or MultiPolygon with coordinates`);
  }
  return type === 'Polygon' ? [coordinates] : coordinates;
}

function checkRing(ring, label) {
  if (!Array.isArray(ring) || ring.length < 4) {
    throw new InputError('BAD_REEFS', `${label} needs at least 4 positions`);
  }
  ring.forEach((position, i) => {
    const [lon, lat] = Array.isArray(position) ? position : [];
    if (!(Math.abs(lon) <= 180 && Math.abs(lat) < 90) || typeof lon !== 'number' || typeof lat !== 'number') {
      throw new InputError('BAD_REEFS', `${label}, position ${i + 1} is not [longitude, latitude] in degrees`);
    }
  });
  const first = ring[0];
  const last = ring.at(-1);
  if (first[0] !== last[0] || first[1] !== last[1]) {
    throw new InputError('BAD_REEFS', `${label} is not closed: its first and last positions differ`);
  }
}

function orient(ring, anticlockwise) {
  return signedArea(ring) > 0 === anticlockwise ? ring : ring.toReversed();
}

function uniqueSlug(name, slugs) {
  const base =
    name
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, '-')
      .replace(/^-|-$/g, '') || 'reef';
  let slug = base;
  for (let n = 2; slugs.has(slug); n++) slug = `${base}-${n}`;
  slugs.add(slug);
  return slug;
}
