import { boundsOf, metresPerDegree } from './projection.mjs';
import { badge, CAPTION_HEIGHT, COLOURS, caption, graticule, northArrow, px, ringsPath, scaleBar } from './svg.mjs';

const INSET = { left: 56, right: 66, top: 28, bottom: 62 };
const MIN_HEIGHT = 290;
const LABEL_STEP = 24;
const DOT_RADIUS = 2.6;

/**
 * Where all the reefs lie: outlines, with a dot for those too small to see, and the numbers of those that have panels.
 * @param {object[]} layouts all of them; the first `numbered` have panels, in that order
 * @param {{ x: number, y: number, width: number }} place pixels
 * @param {number} maxHeight pixels, caption included; the overview takes only what its shape needs
 * @returns {{ markup: string, height: number }}
 */
export function drawOverview(layouts, numbered, place, maxHeight) {
  const bounds = boundsOf(layouts.flatMap(({ reef }) => reef.outline));
  const lonCentre = (bounds.west + bounds.east) / 2;
  const latCentre = (bounds.south + bounds.north) / 2;
  const perDegree = metresPerDegree(latCentre);
  const metresWide = (bounds.east - bounds.west) * perDegree.longitude;
  const metresHigh = (bounds.north - bounds.south) * perDegree.latitude;
  const roomWide = place.width - INSET.left - INSET.right;
  const roomHigh = maxHeight - CAPTION_HEIGHT - INSET.top - INSET.bottom;
  const scale = Math.min(roomWide / metresWide, roomHigh / metresHigh);
  const height = Math.max(MIN_HEIGHT, metresHigh * scale + INSET.top + INSET.bottom);
  const box = { ...place, y: place.y + CAPTION_HEIGHT, height };

  const x0 = box.x + INSET.left + roomWide / 2;
  const y0 = box.y + INSET.top + (height - INSET.top - INSET.bottom) / 2;
  const pixelsEast = scale * perDegree.longitude;
  const pixelsNorth = scale * perDegree.latitude;
  const toPixel = ([lon, lat]) => [x0 + (lon - lonCentre) * pixelsEast, y0 - (lat - latCentre) * pixelsNorth];
  const extent = {
    west: lonCentre + (box.x - x0) / pixelsEast,
    east: lonCentre + (box.x + box.width - x0) / pixelsEast,
    south: latCentre + (y0 - box.y - height) / pixelsNorth,
    north: latCentre + (y0 - box.y) / pixelsNorth,
  };
  const rect = `x="${px(box.x)}" y="${px(box.y)}" width="${px(box.width)}" height="${px(box.height)}" rx="6"`;
  const markup = [
    caption(place, 'Overview', `${layouts.length.toLocaleString('en')} reefs; the numbers are the panels`),
    `<rect ${rect} fill="${COLOURS.sea}"/>`,
    graticule(box, extent),
    ...layouts.map((layout) => drawReef(layout, toPixel)),
    drawNumbers(layouts.slice(0, numbered), toPixel, box),
    scaleBar(box.x + 14, box.y + height - 26, scale, 100),
    northArrow(box.x + box.width - 22, box.y + height - 34),
    `<rect ${rect} fill="none" stroke="${COLOURS.frame}"/>`,
  ].join('\n');
  return { markup, height: height + CAPTION_HEIGHT };
}

function drawReef({ reef, sites }, toPixel) {
  const { west, south, east, north } = boundsOf(reef.outline);
  const [x1, y1] = toPixel([west, north]);
  const [x2, y2] = toPixel([east, south]);
  const [fill, stroke] = sites > 0 ? [COLOURS.site, COLOURS.site] : [COLOURS.reef, COLOURS.shore];
  const paint = `fill="${fill}" stroke="${stroke}" stroke-width="0.7"`;
  if (Math.max(x2 - x1, y2 - y1) < 2 * DOT_RADIUS) {
    return `<circle cx="${px((x1 + x2) / 2)}" cy="${px((y1 + y2) / 2)}" r="${DOT_RADIUS}" ${paint}/>`;
  }
  return `<path d="${ringsPath(reef.outline, toPixel)}" fill-rule="evenodd" stroke-linejoin="round" ${paint}/>`;
}

/** Numbers in a column at the right, from north to south, pushed apart, each with a line to its reef. */
function drawNumbers(layouts, toPixel, box) {
  const labels = layouts.map(({ reef }, index) => {
    const { west, south, east, north } = boundsOf(reef.outline);
    const y = toPixel([east, (south + north) / 2])[1];
    return { number: index + 1, x: toPixel([(west + east) / 2, north])[0], y, labelY: y };
  });
  labels.sort((a, b) => a.y - b.y);
  let floor = box.y + 20;
  for (const label of labels) {
    label.labelY = Math.max(label.labelY, floor);
    floor = label.labelY + LABEL_STEP;
  }
  let ceiling = box.y + box.height - 72;
  for (const label of labels.toReversed()) {
    label.labelY = Math.min(label.labelY, ceiling);
    ceiling = label.labelY - LABEL_STEP;
  }
  const labelX = box.x + box.width - 22;
  const lines = labels.map(({ x, y, labelY }) => `M${px(x)} ${px(y)}L${px(labelX - 24)} ${px(labelY)}H${px(labelX)}`);
  const ends = labels.map(({ x, y }) => `<circle cx="${px(x)}" cy="${px(y)}" r="2" fill="${COLOURS.ink}"/>`);
  return [
    `<path d="${lines.join('')}" fill="none" stroke="${COLOURS.ink}" stroke-width="0.8"/>`,
    ...ends,
    ...labels.map(({ labelY, number }) => badge(labelX, labelY, number, 10)),
  ].join('');
}
