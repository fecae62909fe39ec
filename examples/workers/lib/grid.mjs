import { bbox } from '@turf/bbox';
import { InputError } from './job.mjs';
import { signedArea } from './projection.mjs';

/** Limits the candidate sites of one job: a file of at most about 700 MB, and a few seconds of work. */
export const MAX_CANDIDATES = 2_000_000;

/** Metres. An outline that enters a site by less counts as touching, because rounding enters by less. */
export const TOLERANCE_M = 0.001;

// Shares nearer to 0 or 1 are rounding.
const SHARE_EPSILON = 1e-7;
// An area nearer to 0 or to a whole site is rounding; in sites.
const AREA_EPSILON = 1e-13;

/**
 * @typedef {object} Grid abutting candidate sites, aligned north-south, from the south-west corner of the reef's bounds
 * @property {number} x @property {number} y the south-west corner, metres
 * @property {number} width @property {number} height of one site, metres
 * @property {number} columns @property {number} rows
 */

/** @returns {Grid} */
export function gridOver({ rings }, xDist, yDist) {
  const [west, south, east, north] = bbox({ type: 'Polygon', coordinates: rings });
  const count = (length, side) => Math.max(1, Math.ceil((length - TOLERANCE_M) / side));
  const [columns, rows] = [count(east - west, xDist), count(north - south, yDist)];
  return { x: west, y: south, width: xDist, height: yDist, columns, rows };
}

/** @throws {InputError} when the grids hold more candidates than one job may have */
export function countCandidates(grids) {
  const candidates = grids.reduce((sum, grid) => sum + grid.columns * grid.rows, 0);
  if (candidates > MAX_CANDIDATES) {
    const [count, limit] = [candidates, MAX_CANDIDATES].map((value) => value.toLocaleString('en'));
    throw new InputError(
      `Too many candidate sites: ${count}, expected at most ${limit}. Make x_dist or y_dist larger, or choose a smaller region`,
    );
  }
  return candidates;
}

/**
 * Returns the share of each site's area that lies on the reef, or 0 for a site that is not kept.
 *
 * With a threshold of 100 a site is kept when all of it lies on the reef: the outline, holes included, may touch a site but
 * not enter. With a lower threshold a site is kept when at least that percentage of its area lies on the reef; with 0, when
 * any of it does.
 *
 * The grid is halved, and the outline cut with it, until a block lies wholly on or off the reef or is one site. The cost
 * therefore grows with the length of the outline, not with candidates × edges.
 * @param {{ rings: [number, number][][] }} reef outer rings anticlockwise, holes clockwise, in metres
 * @param {Grid} grid
 * @param {number} threshold percent
 * @returns {Float64Array} row by row from the south, and from west to east in a row
 */
export function layShares({ rings }, { x, y, width, height, columns, rows }, threshold) {
  const shares = new Float64Array(columns * rows);
  const least = Math.max(threshold / 100 - SHARE_EPSILON, SHARE_EPSILON);
  const layBlock = (outline, west, south, east, north) => {
    const area = totalArea(outline);
    if (area < AREA_EPSILON) return;
    // Cuts give a whole block its corners exactly; an area alone would hide a corner that the outline cuts by a millimetre.
    const isWhole = outline.flat().every(([u, v]) => (u === west || u === east) && (v === south || v === north));
    if (isWhole || (east - west === 1 && north - south === 1)) {
      const share = isWhole || area > 1 - SHARE_EPSILON ? 1 : area;
      const isKept = isWhole || (threshold === 100 ? isTouchedOnly(outline, west, south) : share >= least);
      if (!isKept) return;
      for (let row = south; row < north; row++) shares.fill(share, row * columns + west, row * columns + east);
    } else if (east - west > north - south) {
      const middle = (west + east) >> 1;
      layBlock(cut(outline, 0, middle, 1), west, south, middle, north);
      layBlock(cut(outline, 0, middle, -1), middle, south, east, north);
    } else {
      const middle = (south + north) >> 1;
      layBlock(cut(outline, 1, middle, 1), west, south, east, middle);
      layBlock(cut(outline, 1, middle, -1), west, middle, east, north);
    }
  };
  /** Tells whether the outline spares the site but for the tolerance along the sides. */
  const isTouchedOnly = (outline, west, south) => {
    const [dx, dy] = [TOLERANCE_M / width, TOLERANCE_M / height];
    let inner = cut(cut(outline, 0, west + dx, -1), 0, west + 1 - dx, 1);
    inner = cut(cut(inner, 1, south + dy, -1), 1, south + 1 - dy, 1);
    return totalArea(inner) > (1 - 2 * dx) * (1 - 2 * dy) - AREA_EPSILON;
  };
  // In units of sites from the grid's corner, each site is a square of area 1.
  const outline = rings.map((ring) => ring.map(([east, north]) => [(east - x) / width, (north - y) / height]));
  // Cut to the grid, because the last column or row may end up to a tolerance before the outline.
  layBlock(cut(cut(outline, 0, columns, 1), 1, rows, 1), 0, 0, columns, rows);
  return shares;
}

export function countSites(shares) {
  return shares.reduce((count, share) => count + (share > 0 ? 1 : 0), 0);
}

function totalArea(rings) {
  return rings.reduce((sum, ring) => sum + signedArea(ring), 0);
}

/**
 * Cuts rings at a line and returns the parts below it (side 1) or above it (side -1), by Sutherland and Hodgman's method:
 * parts of one ring stay connected along the line, which adds no area.
 * @param {0 | 1} axis of the coordinate that the line fixes
 */
function cut(rings, axis, line, side) {
  const parts = [];
  for (const ring of rings) {
    const part = [];
    let from = ring.at(-1);
    let before = side * (line - from[axis]);
    for (const to of ring) {
      const after = side * (line - to[axis]);
      if (before < 0 !== after < 0) {
        const other = from[1 - axis] + ((to[1 - axis] - from[1 - axis]) * before) / (before - after);
        part.push(axis === 0 ? [line, other] : [other, line]);
      }
      if (after >= 0) part.push(to);
      from = to;
      before = after;
    }
    if (part.length > 2) parts.push(part);
  }
  return parts;
}
