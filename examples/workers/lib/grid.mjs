import { InputError } from './job.mjs';
import { boundsOf } from './projection.mjs';

/** The most candidate sites that one job may have: a file of at most about 700 MB, and a few seconds of work. */
export const MAX_CANDIDATES = 2_000_000;

/** Metres. An outline that enters a site by less than this counts as touching it; it absorbs rounding. */
export const TOLERANCE_M = 0.001;

// Shares nearer to 0 or 1 than this are rounding.
const SHARE_EPSILON = 1e-7;

/**
 * @typedef {object} Grid abutting candidate sites, aligned north-south, from the south-west corner of the reef's bounds
 * @property {number} x @property {number} y the south-west corner, metres
 * @property {number} width @property {number} height of one site, metres
 * @property {number} columns @property {number} rows
 *
 * @typedef {object} Run neighbouring kept sites of one row
 * @property {number} row counted from the south, from 0
 * @property {number} from @property {number} to first and last column, counted from the west, from 0
 * @property {number} share of each of these sites' area that lies on the reef, 0 to 1
 */

/** @returns {Grid} */
export function gridOver(reef, xDist, yDist) {
  const { west, south, east, north } = boundsOf(reef.rings);
  const count = (length, side) => Math.max(1, Math.ceil((length - TOLERANCE_M) / side));
  return {
    x: west,
    y: south,
    width: xDist,
    height: yDist,
    columns: count(east - west, xDist),
    rows: count(north - south, yDist),
  };
}

/** @throws {InputError} when the grids hold more candidates than one job may have */
export function countCandidates(grids) {
  const candidates = grids.reduce((sum, grid) => sum + grid.columns * grid.rows, 0);
  if (candidates > MAX_CANDIDATES) {
    const [count, limit] = [candidates, MAX_CANDIDATES].map((value) => value.toLocaleString('en'));
    throw new InputError(
      'TOO_MANY_SITES',
      `${count} candidate sites, and ${limit} is the limit: make x_dist or y_dist larger, or choose a smaller region`,
    );
  }
  return candidates;
}

/**
 * The sites of a grid that lie on the reef.
 *
 * With a threshold of 100 a site is kept when all of it lies on the reef: no edge of the outline, holes included, passes
 * through its inside, and its centre is on the reef. Touching the outline is allowed. With a lower threshold it is kept
 * when at least that percentage of its area lies on the reef; with 0, when any of it does.
 *
 * Rows are swept from south to north with only the edges that reach the row, so the cost is the number of candidates plus
 * the number of rows that each edge crosses, not candidates × edges.
 * @param {{ rings: [number, number][][] }} reef outer rings anticlockwise, holes clockwise, in metres
 * @param {Grid} grid
 * @param {number} threshold percent
 * @returns {Run[]} from south to north, and from west to east in a row
 */
export function layRuns(reef, grid, threshold) {
  const edgesByFirstRow = bucketEdges(reef.rings, grid);
  const shares = new Float64Array(grid.columns);
  const scratch = new Float64Array(grid.columns + 1);
  const sharesOfRow = threshold === 100 ? wholeSites : partialSites;
  const least = Math.max(threshold / 100 - SHARE_EPSILON, SHARE_EPSILON);
  const runs = [];
  let active = [];
  for (let row = 0; row < grid.rows; row++) {
    const south = grid.y + row * grid.height;
    active = active.filter((edge) => Math.max(edge[1], edge[3]) >= south).concat(edgesByFirstRow[row] ?? []);
    sharesOfRow(active, grid, south, shares, scratch);
    let run;
    for (let column = 0; column < grid.columns; column++) {
      const share = shares[column] > 1 - SHARE_EPSILON ? 1 : shares[column];
      if (share < least) {
        run = undefined;
      } else if (run?.share === share) {
        run.to = column;
      } else {
        run = { row, from: column, to: column, share };
        runs.push(run);
      }
    }
  }
  return runs;
}

export function countSites(runs) {
  return runs.reduce((sum, run) => sum + run.to - run.from + 1, 0);
}

/** Edges as [x1, y1, x2, y2] in ring order, listed under the first row that they reach. */
function bucketEdges(rings, grid) {
  const buckets = [];
  for (const ring of rings) {
    for (let i = 1; i < ring.length; i++) {
      const [x1, y1] = ring[i - 1];
      const [x2, y2] = ring[i];
      const row = clamp(Math.floor((Math.min(y1, y2) - grid.y) / grid.height), 0, grid.rows - 1);
      buckets[row] ??= [];
      buckets[row].push([x1, y1, x2, y2]);
    }
  }
  return buckets;
}

/** Sets the share of each site of a row to 1 when all of it lies on the reef, otherwise to 0. */
function wholeSites(edges, grid, south, shares, crossed) {
  const low = south + TOLERANCE_M;
  const high = south + grid.height - TOLERANCE_M;
  const middle = south + grid.height / 2;
  const crossings = [];
  // `crossed` first holds differences: their running sum is the number of edges through each column's inside.
  crossed.fill(0);
  for (const [x1, y1, x2, y2] of edges) {
    if (y1 > middle !== y2 > middle) crossings.push(xAt(x1, y1, x2, y2, middle));
    if (Math.max(y1, y2) <= low || Math.min(y1, y2) >= high) continue;
    // The part of an edge within the row is one piece, so it passes through the inside of exactly the columns that its
    // east-west extent reaches.
    const xa = y1 === y2 ? x1 : xAt(x1, y1, x2, y2, clamp(y1, low, high));
    const xb = y1 === y2 ? x2 : xAt(x1, y1, x2, y2, clamp(y2, low, high));
    const first = Math.max(0, Math.floor((Math.min(xa, xb) + TOLERANCE_M - grid.x) / grid.width));
    const last = Math.min(grid.columns - 1, Math.ceil((Math.max(xa, xb) - TOLERANCE_M - grid.x) / grid.width) - 1);
    if (first > last) continue;
    crossed[first] += 1;
    crossed[last + 1] -= 1;
  }
  crossings.sort((a, b) => a - b);
  let passed = 0;
  let through = 0;
  for (let column = 0; column < grid.columns; column++) {
    through += crossed[column];
    const centre = grid.x + (column + 0.5) * grid.width;
    while (passed < crossings.length && crossings[passed] < centre) passed++;
    shares[column] = through === 0 && passed % 2 === 1 ? 1 : 0;
  }
}

/**
 * Sets the share of each site of a row: the exact area of the site that lies on the reef, over the site's area.
 *
 * Each edge adds the signed area between itself and the row's east end, as a font rasteriser does for pixels (R. Levien,
 * font-rs): exactly in the columns that it passes through, and as a full-width strip in those east of it. Outer rings run
 * anticlockwise and holes clockwise, so the holes subtract themselves.
 */
function partialSites(edges, grid, south, shares, strips) {
  const north = south + grid.height;
  shares.fill(0);
  strips.fill(0);
  for (const [x1, y1, x2, y2] of edges) {
    const ya = clamp(y1, south, north);
    const yb = clamp(y2, south, north);
    if (ya === yb) continue;
    const xa = xAt(x1, y1, x2, y2, ya) - grid.x;
    const xb = xAt(x1, y1, x2, y2, yb) - grid.x;
    const first = clamp(Math.floor(Math.min(xa, xb) / grid.width), 0, grid.columns - 1);
    const last = clamp(Math.floor(Math.max(xa, xb) / grid.width), 0, grid.columns - 1);
    for (let column = first; column <= last; column++) {
      const east = (column + 1) * grid.width;
      const xFrom = first === last ? xa : clamp(xa, east - grid.width, east);
      const xTo = first === last ? xb : clamp(xb, east - grid.width, east);
      const fall = first === last ? ya - yb : ((ya - yb) * (xTo - xFrom)) / (xb - xa);
      shares[column] += fall * (east - (xFrom + xTo) / 2);
      strips[column + 1] += fall * grid.width;
    }
  }
  let strip = 0;
  for (let column = 0; column < grid.columns; column++) {
    strip += strips[column];
    shares[column] = (shares[column] + strip) / (grid.width * grid.height);
  }
}

function xAt(x1, y1, x2, y2, y) {
  if (y === y1) return x1;
  if (y === y2) return x2;
  return x1 + ((x2 - x1) * (y - y1)) / (y2 - y1);
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
