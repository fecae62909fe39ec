// WGS 84 (NIMA TR8350.2, 3rd ed., table 3.1): semi-major axis in metres, flattening.
const A = 6378137;
const F = 1 / 298.257223563;
const E2 = F * (2 - F);
const RADIANS = Math.PI / 180;

/**
 * Length in metres of one degree of latitude and of one degree of longitude on the WGS 84 ellipsoid at a latitude.
 * Source: J. P. Snyder, Map Projections: A Working Manual, USGS Professional Paper 1395 (1987), p. 25,
 * equations 4-19 (latitude) and 4-21 (longitude).
 * @param {number} latitude degrees
 * @returns {{ latitude: number, longitude: number }}
 */
export function metresPerDegree(latitude) {
  const phi = latitude * RADIANS;
  const w = 1 - E2 * Math.sin(phi) ** 2;
  return {
    latitude: (RADIANS * A * (1 - E2)) / w ** 1.5,
    longitude: (RADIANS * A * Math.cos(phi)) / Math.sqrt(w),
  };
}

/**
 * A local equirectangular projection: metres east and north of a centre, with the scale of the centre's latitude.
 *
 * It is affine, so a straight edge in longitude and latitude (what GeoJSON means by an edge) stays straight, and a test
 * that is exact in metres is exact in degrees. Its price: away from the centre's latitude, east-west lengths are off by
 * about tan(latitude) × distance / Earth's radius: 0.06 % ten kilometres north or south of a centre at 20° S.
 * @param {[number, number]} centre longitude, latitude
 */
export function localProjection([lon0, lat0]) {
  const scale = metresPerDegree(lat0);
  return {
    forward: ([lon, lat]) => [(lon - lon0) * scale.longitude, (lat - lat0) * scale.latitude],
    longitude: (x) => lon0 + x / scale.longitude,
    latitude: (y) => lat0 + y / scale.latitude,
  };
}

/** Area of a closed ring in the square of its unit (shoelace formula): positive when it runs anticlockwise. */
export function signedArea(ring) {
  let twice = 0;
  for (let i = 1; i < ring.length; i++) {
    // Relative to the first point, which keeps precision for a small ring far from the origin.
    const ax = ring[i - 1][0] - ring[0][0];
    const ay = ring[i - 1][1] - ring[0][1];
    twice += ax * (ring[i][1] - ring[0][1]) - ay * (ring[i][0] - ring[0][0]);
  }
  return twice / 2;
}

/** @returns {{ west: number, south: number, east: number, north: number }} */
export function boundsOf(rings) {
  const bounds = { west: Infinity, south: Infinity, east: -Infinity, north: -Infinity };
  for (const ring of rings) {
    for (const [x, y] of ring) {
      bounds.west = Math.min(bounds.west, x);
      bounds.east = Math.max(bounds.east, x);
      bounds.south = Math.min(bounds.south, y);
      bounds.north = Math.max(bounds.north, y);
    }
  }
  return bounds;
}
