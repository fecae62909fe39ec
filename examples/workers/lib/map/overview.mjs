import { bbox } from '@turf/bbox';
import { localProjection } from '../projection.mjs';
import { CAPTION_HEIGHT, drawCaption, drawFrame, fitMap } from './frame.mjs';
import { readLand } from './land.mjs';
import { badge, px, svg } from './svg.mjs';

const INSET = { left: 56, right: 66, top: 28, bottom: 62 };
const MIN_HEIGHT = 290;
// Degrees of latitude and longitude that an overview shows at least: the coast is seldom farther from a reef.
const MIN_SPAN = 0.7;
const LABEL_STEP = 24;
// Pixels between the numbers and the frame: the north arrow stands above, longitudes below.
const LABELS_TOP = 64;
const LABELS_BOTTOM = 36;
const DOT_RADIUS = 2.6;

/**
 * Draws where all the reefs lie: land, outlines, with a dot for those too small to see, and the numbers of those that have
 * panels.
 * @param {object[]} layouts all of them; the first `numbered` have panels, in that order
 * @param {{ x: number, y: number, width: number }} place pixels
 * @param {number} maxHeight pixels, caption included; the overview takes only what its shape needs
 */
export function drawOverview(layouts, numbered, place, maxHeight) {
  const outlines = layouts.map(({ reef }) => ({ type: 'Feature', geometry: reef.outline }));
  const bounds = widen(bbox({ type: 'FeatureCollection', features: outlines }));
  const projection = localProjection(bounds);
  const [metresEast, metresNorth] = projection.forward(bounds.slice(2));
  const neededHeight = ((place.width - INSET.left - INSET.right) * metresNorth) / metresEast + INSET.top + INSET.bottom;
  const height = Math.min(maxHeight - CAPTION_HEIGHT, Math.max(MIN_HEIGHT, neededHeight));
  const map = fitMap({ ...place, y: place.y + CAPTION_HEIGHT, height }, INSET, bounds, projection);
  const land = map.toPath(readLand(map.extent));
  const reefs = layouts.map((layout) => drawReef(layout, map));
  const markup = [
    drawCaption(place, 'Overview', `${layouts.length.toLocaleString('en')} reefs; the numbers are the panels`),
    drawFrame(map, 'clip-overview', land === null ? [] : svg`<path d="${land}" class="land"/>`, [
      reefs,
      drawNumbers(layouts.slice(0, numbered), map),
    ]),
  ];
  return { markup, height: height + CAPTION_HEIGHT, hasLand: land !== null };
}

function widen([west, south, east, north]) {
  const [dx, dy] = [east - west, north - south].map((span) => Math.max(0, MIN_SPAN - span) / 2);
  return [west - dx, south - dy, east + dx, north + dy];
}

function drawReef({ reef, sites }, { toPixel, toPath }) {
  const paint = sites > 0 ? 'site' : 'reef shore';
  const [west, south, east, north] = reef.bounds;
  const [[x1, y1], [x2, y2]] = [toPixel([west, north]), toPixel([east, south])];
  return Math.max(x2 - x1, y2 - y1) < 2 * DOT_RADIUS
    ? svg`<circle cx="${(x1 + x2) / 2}" cy="${(y1 + y2) / 2}" r="${DOT_RADIUS}" class="${paint}"/>`
    : svg`<path d="${toPath(reef.outline)}" class="outline ${paint}"/>`;
}

/** Draws numbers in a column at the right, from north to south, pushed apart, each with a line to the reef. */
function drawNumbers(layouts, { toPixel, frame }) {
  const labels = layouts.map(({ reef }, index) => {
    const [west, south, east, north] = reef.bounds;
    const [x, y] = toPixel([(west + east) / 2, (south + north) / 2]);
    return { number: index + 1, x, y, labelY: y };
  });
  labels.sort((a, b) => a.y - b.y);
  let top = frame.y + LABELS_TOP;
  for (const label of labels) {
    label.labelY = Math.max(label.labelY, top);
    top = label.labelY + LABEL_STEP;
  }
  let bottom = frame.y + frame.height - LABELS_BOTTOM;
  for (const label of labels.toReversed()) {
    label.labelY = Math.min(label.labelY, bottom);
    bottom = label.labelY - LABEL_STEP;
  }
  const labelX = frame.x + frame.width - 22;
  const leaders = labels.map(({ x, y, labelY }) => `M${px(x)} ${px(y)}L${px(labelX - 24)} ${px(labelY)}H${px(labelX)}`);
  return [
    svg`<path d="${leaders}" class="none leader"/>`,
    labels.map(({ x, y }) => svg`<circle cx="${x}" cy="${y}" r="2" class="ink"/>`),
    labels.map(({ labelY, number }) => badge(labelX, labelY, number, 10)),
  ];
}
