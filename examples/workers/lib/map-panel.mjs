import { boundsOf } from './projection.mjs';
import { CAPTION_HEIGHT, COLOURS, caption, graticule, northArrow, px, ringsPath, scaleBar } from './svg.mjs';

// Room for what surrounds the reef: latitudes at the left, the arrow above, the scale bar below.
const INSET = { left: 58, right: 34, top: 40, bottom: 64 };
const MIN_SITE_PIXELS = 3;
// Hides the seams that antialiasing leaves between rows of merged sites.
const SEAM_PIXELS = 0.4;
const MAX_SITES_DRAWN_SINGLY = 20_000;

/**
 * One reef, as large as its box allows, at the same scale east-west and north-south.
 * @param {{ x: number, y: number, width: number, height: number }} box pixels, caption included
 * @param {number} number that the overview shows for this reef
 */
export function drawPanel({ reef, grid, runs, sites }, box, number) {
  const frame = { x: box.x, y: box.y + CAPTION_HEIGHT, width: box.width, height: box.height - CAPTION_HEIGHT };
  const { west, south, east, north } = boundsOf(reef.rings);
  const roomWide = frame.width - INSET.left - INSET.right;
  const roomHigh = frame.height - INSET.top - INSET.bottom;
  const scale = Math.min(roomWide / (east - west), roomHigh / (north - south));
  const left = (west + east) / 2 - (INSET.left + roomWide / 2) / scale;
  const top = (south + north) / 2 + (INSET.top + roomHigh / 2) / scale;
  const toPixel = ([x, y]) => [frame.x + (x - left) * scale, frame.y + (top - y) * scale];
  const extent = {
    west: reef.projection.longitude(left),
    east: reef.projection.longitude(left + frame.width / scale),
    south: reef.projection.latitude(top - frame.height / scale),
    north: reef.projection.latitude(top),
  };
  const outline = ringsPath(reef.rings, toPixel);
  const clip = `clip-${number}`;
  const rect = `x="${px(frame.x)}" y="${px(frame.y)}" width="${px(frame.width)}" height="${px(frame.height)}" rx="6"`;
  return [
    caption(box, reef.name, detail(reef, sites), number),
    `<clipPath id="${clip}"><rect ${rect}/></clipPath>`,
    `<g clip-path="url(#${clip})"><rect ${rect} fill="${COLOURS.sea}"/>`,
    `<path d="${outline}" fill="${COLOURS.reef}" fill-rule="evenodd"/>`,
    graticule(frame, extent),
    drawSites(grid, runs, sites, toPixel, scale),
    `<path d="${outline}" fill="none" stroke="${COLOURS.shore}" stroke-width="1.4" stroke-linejoin="round"/>`,
    scaleBar(frame.x + 14, frame.y + frame.height - 26, scale, Math.min(150, frame.width / 3)),
    northArrow(frame.x + frame.width - 22, frame.y + 26),
    `</g><rect ${rect} fill="none" stroke="${COLOURS.frame}"/>`,
  ].join('\n');
}

function detail(reef, sites) {
  const area = (reef.areaM2 / 1e6).toLocaleString('en', { maximumFractionDigits: reef.areaM2 < 1e7 ? 2 : 1 });
  const where = reef.region ? ` · ${reef.region}` : '';
  return `${sites.toLocaleString('en')} ${sites === 1 ? 'site' : 'sites'} · ${area} km²${where}`;
}

/** Each site by itself where that can be seen, otherwise each run of neighbours as one shape. */
function drawSites(grid, runs, sites, toPixel, scale) {
  const width = grid.width * scale;
  const height = grid.height * scale;
  const singly = Math.min(width, height) >= MIN_SITE_PIXELS && sites <= MAX_SITES_DRAWN_SINGLY;
  const drawnHeight = px(singly ? height : height + SEAM_PIXELS);
  let path = '';
  for (const { row, from, to } of runs) {
    const [x, y] = toPixel([grid.x + from * grid.width, grid.y + (row + 1) * grid.height]);
    const step = singly ? 1 : to - from + 1;
    for (let column = from; column <= to; column += step) {
      const side = px(width * step);
      path += `M${px(x + (column - from) * width)} ${px(y)}h${side}v${drawnHeight}h-${side}Z`;
    }
  }
  const gap = singly
    ? ` stroke="${COLOURS.reef}" stroke-width="${px(Math.min(1.2, Math.min(width, height) / 8))}"`
    : '';
  return `<path d="${path}" fill="${COLOURS.site}" fill-opacity="0.86"${gap}/>`;
}
