// WGS 84 (NIMA TR8350.2, 3rd ed., table 3.1): semi-major axis in metres, flattening.
const A = 6378137;
const F = 1 / 298.257223563;
const E2 = F * (2 - F);
const RADIANS = Math.PI / 180;

/**
 * Returns the length in metres of one degree of latitude and of one degree of longitude at a latitude on the WGS 84
 * ellipsoid, for example 110,704 m and 104,647 m at 20° S.
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
 * Creates an equirectangular projection: metres east and north of the centre of the bounds, at the scale of the centre's
 * latitude.
 *
 * The projection is affine, so a straight edge in longitude and latitude (what GeoJSON means by an edge) stays straight,
 * and a test that is exact in metres is exact in degrees. The price: away from the centre's latitude, east-west lengths
 * are off by about tan(latitude) × distance / Earth's radius: 0.06 % ten kilometres north or south of a centre at 20° S.
 * @param {[number, number, number, number]} bounds west, south, east and north in degrees
 */
export function localProjection([west, south, east, north]) {
  const [lon0, lat0] = [(west + east) / 2, (south + north) / 2];
  const scale = metresPerDegree(lat0);
  return {
    forward: ([lon, lat]) => [(lon - lon0) * scale.longitude, (lat - lat0) * scale.latitude],
    longitude: (x) => lon0 + x / scale.longitude,
    latitude: (y) => lat0 + y / scale.latitude,
  };
}

/** Returns the area of a ring in the square of its unit (shoelace formula): positive when the ring runs anticlockwise. */
export function signedArea(ring) {
  const [x0, y0] = ring[0] ?? [0, 0];
  let twice = 0;
  let [ax, ay] = [0, 0];
  for (const [x, y] of ring) {
    // Relative to the first point, which keeps precision for a small ring far from the origin.
    const [bx, by] = [x - x0, y - y0];
    twice += ax * by - ay * bx;
    [ax, ay] = [bx, by];
  }
  return twice / 2;
}
