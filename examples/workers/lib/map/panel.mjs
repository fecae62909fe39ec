import { CAPTION_HEIGHT, drawCaption, drawFrame, fitMap } from './frame.mjs';
import { px, svg } from './svg.mjs';

// Room around the reef: latitudes at the left, the arrow above, the scale bar below.
const INSET = { left: 58, right: 34, top: 40, bottom: 64 };
const MIN_SITE_PIXELS = 3;
// Hides the seams that antialiasing leaves between rows of merged sites.
const SEAM_PIXELS = 0.4;
const MAX_SITES_DRAWN_SINGLY = 20_000;

/**
 * Draws one reef with its sites.
 * @param {{ x: number, y: number, width: number, height: number }} box pixels, caption included
 * @param {number} number that the overview shows for this reef
 */
export function drawPanel({ reef, grid, shares, sites }, box, number) {
  const frame = { ...box, y: box.y + CAPTION_HEIGHT, height: box.height - CAPTION_HEIGHT };
  const map = fitMap(frame, INSET, reef.bounds, reef.projection);
  const outline = map.toPath(reef.outline);
  const reefFill = svg`<path d="${outline}" class="outline reef"/>`;
  const shore = svg`<path d="${outline}" class="none shore" stroke-width="1.4"/>`;
  return [
    drawCaption(box, reef.name, describe(reef, sites), number),
    drawFrame(map, `clip-${number}`, reefFill, [drawSites(map, grid, shares, sites), shore]),
  ];
}

/** Describes a reef, for example `2,757 sites · 29.1 km² · Cairns-Cooktown`. */
function describe(reef, sites) {
  const area = (reef.areaM2 / 1e6).toLocaleString('en', { maximumFractionDigits: reef.areaM2 < 1e7 ? 2 : 1 });
  const region = reef.region ? ` · ${reef.region}` : '';
  return `${sites.toLocaleString('en')} ${sites === 1 ? 'site' : 'sites'} · ${area} km²${region}`;
}

/** Draws each site by itself where that can be seen, otherwise neighbours in a row as one shape. */
function drawSites({ metresToPixels, scale }, grid, shares, sites) {
  const [width, height] = [grid.width * scale, grid.height * scale];
  const singly = Math.min(width, height) >= MIN_SITE_PIXELS && sites <= MAX_SITES_DRAWN_SINGLY;
  const drawnHeight = px(singly ? height : height + SEAM_PIXELS);
  const path = [];
  for (let first = 0, end = 1; first < shares.length; first = end, end++) {
    if (shares[first] === 0) continue;
    while (!singly && end % grid.columns > 0 && shares[end] > 0) end++;
    const [column, row] = [first % grid.columns, Math.floor(first / grid.columns)];
    const [x, y] = metresToPixels([grid.x + column * grid.width, grid.y + (row + 1) * grid.height]);
    const drawnWidth = px(width * (end - first));
    path.push(`M${px(x)} ${px(y)}h${drawnWidth}v${drawnHeight}h-${drawnWidth}Z`);
  }
  const gap = singly ? Math.min(1.2, Math.min(width, height) / 8) : 0;
  return svg`<path d="${path.join('')}" class="site on-map gaps" stroke-width="${gap}"/>`;
}
