import { writeFile } from 'node:fs/promises';

// Seven decimals of a degree are about a centimetre.
const DECIMALS = 1e7;
const CHUNK_CHARACTERS = 1 << 20;

/**
 * Writes the kept sites as a GeoJSON FeatureCollection with a foreign member `summary`, a megabyte at a time, so memory does
 * not grow with the number of sites.
 * @param {{ reef: import('./reefs.mjs').Reef, grid: import('./grid.mjs').Grid, shares: Float64Array }[]} layouts
 */
export async function writeSites(path, summary, layouts) {
  await writeFile(path, collectionChunks(summary, layouts));
}

function* collectionChunks(summary, layouts) {
  let chunk = `{"type":"FeatureCollection","summary":${JSON.stringify(summary)},"features":[`;
  let separator = '\n';
  for (const layout of layouts) {
    for (const feature of siteFeatures(layout)) {
      chunk += separator + feature;
      separator = ',\n';
      if (chunk.length < CHUNK_CHARACTERS) continue;
      yield chunk;
      chunk = '';
    }
  }
  yield `${chunk}\n]}\n`;
}

/**
 * Yields the text of each site's feature. Longitude depends only on the column and latitude only on the row, so each is
 * turned into text once, which is most of the cost of a large file.
 */
function* siteFeatures({ reef, grid, shares }) {
  const lons = halfSteps(grid.columns, (steps) => reef.projection.longitude(grid.x + steps * grid.width));
  const lats = halfSteps(grid.rows, (steps) => reef.projection.latitude(grid.y + steps * grid.height));
  const region = reef.region === undefined ? '' : `"region":${JSON.stringify(reef.region)},`;
  const properties = `"reef":${JSON.stringify(reef.name)},${region}"area_m2":${round(grid.width * grid.height, 100)},`;
  for (const [index, share] of shares.entries()) {
    if (share === 0) continue;
    const [row, column] = [Math.floor(index / grid.columns), index % grid.columns];
    const [west, lon, east] = [lons[column * 2], lons[column * 2 + 1], lons[column * 2 + 2]];
    const [south, lat, north] = [lats[row * 2], lats[row * 2 + 1], lats[row * 2 + 2]];
    yield `{"type":"Feature","properties":{"site_id":"${reef.slug}-r${row}-c${column}",${properties}` +
      `"percent_on_reef":${round(share * 100, 100)},"lon":${lon},"lat":${lat}},"geometry":{"type":"Polygon",` +
      `"coordinates":[[[${west},${south}],[${east},${south}],[${east},${north}],[${west},${north}],[${west},${south}]]]}}`;
  }
}

/** Returns degrees at both sides and in the middle of each site of a row or column, as text. */
function halfSteps(count, toDegrees) {
  return Array.from({ length: count * 2 + 1 }, (_, half) => String(round(toDegrees(half / 2), DECIMALS)));
}

function round(value, factor) {
  return Math.round(value * factor) / factor;
}
