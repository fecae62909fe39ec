import { open } from 'node:fs/promises';

// Seven decimals of a degree are about a centimetre.
const DECIMALS = 1e7;
const CHUNK_CHARACTERS = 1 << 20;

/**
 * Writes the kept sites as a GeoJSON FeatureCollection with a foreign member `summary`. It is written as it is made, a
 * megabyte at a time, so memory does not grow with the number of sites.
 * @param {{ reef: import('./reefs.mjs').Reef, grid: import('./grid.mjs').Grid, runs: import('./grid.mjs').Run[] }[]} layouts
 */
export async function writeSites(path, summary, layouts) {
  const file = await open(path, 'w');
  try {
    let chunk = `{"type":"FeatureCollection","summary":${JSON.stringify(summary)},"features":[`;
    let separator = '\n';
    for (const layout of layouts) {
      for (const feature of siteFeatures(layout)) {
        chunk += separator + feature;
        separator = ',\n';
        if (chunk.length < CHUNK_CHARACTERS) continue;
        await file.appendFile(chunk);
        chunk = '';
      }
    }
    await file.appendFile(`${chunk}\n]}\n`);
  } finally {
    await file.close();
  }
}

/**
 * The text of each site's feature. Longitude depends only on the column and latitude only on the row, so each is turned
 * into text once, which is most of the cost of a large file.
 */
function* siteFeatures({ reef, grid, runs }) {
  const longitudes = Array.from({ length: grid.columns * 2 + 1 }, (_, half) =>
    degrees(reef.projection.longitude(grid.x + (half * grid.width) / 2)),
  );
  const reefName = JSON.stringify(reef.name);
  const region = reef.region === undefined ? '' : `"region":${JSON.stringify(reef.region)},`;
  const areaM2 = Math.round(grid.width * grid.height * 100) / 100;
  for (const { row, from, to, share } of runs) {
    const [south, middle, north] = [0, 0.5, 1].map((part) =>
      degrees(reef.projection.latitude(grid.y + (row + part) * grid.height)),
    );
    const percent = Math.round(share * 10000) / 100;
    for (let column = from; column <= to; column++) {
      const west = longitudes[column * 2];
      const east = longitudes[column * 2 + 2];
      yield `{"type":"Feature","properties":{"site_id":"${reef.slug}-r${row}-c${column}","reef":${reefName},${region}` +
        `"area_m2":${areaM2},"percent_on_reef":${percent},"lon":${longitudes[column * 2 + 1]},"lat":${middle}},` +
        `"geometry":{"type":"Polygon","coordinates":[[[${west},${south}],[${east},${south}],[${east},${north}],` +
        `[${west},${north}],[${west},${south}]]]}}`;
    }
  }
}

function degrees(value) {
  return String(Math.round(value * DECIMALS) / DECIMALS);
}
