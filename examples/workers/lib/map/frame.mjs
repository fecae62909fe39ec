import { geoIdentity, geoPath, geoTransform } from 'd3-geo';
import { badge, fitText, px, svg, text } from './svg.mjs';

/** Pixels above a map that the caption takes. */
export const CAPTION_HEIGHT = 54;

/** Draws the caption above a map: a bold line and a quiet one, after the badge of a numbered map. */
export function drawCaption({ x, y, width }, heading, detail, number) {
  const indent = number === undefined ? 0 : 34;
  return [
    number === undefined ? [] : badge(x + 12, y + 18, number, 12),
    text(x + indent, y + 17, 'heading', fitText(heading, width - indent, 16)),
    text(x + indent, y + 37, 'quiet', fitText(detail, width - indent, 13)),
  ];
}

/**
 * Fits bounds into a frame, as large as the inset allows, at the same scale east-west and north-south.
 * @param {{ x: number, y: number, width: number, height: number }} frame pixels
 * @param {{ left: number, right: number, top: number, bottom: number }} inset pixels
 * @param {[number, number, number, number]} bounds west, south, east and north in degrees
 * @param {ReturnType<typeof import('../projection.mjs').localProjection>} projection
 */
export function fitMap(frame, inset, bounds, projection) {
  const [left, top, right, bottom] = [frame.x, frame.y, frame.x + frame.width, frame.y + frame.height];
  const room = [left + inset.left, top + inset.top, right - inset.right, bottom - inset.bottom];
  const corners = toCorners(bounds).map(projection.forward);
  const metresToPixels = geoIdentity()
    .reflectY(true)
    .fitExtent(toCorners(room), { type: 'MultiPoint', coordinates: corners });
  const toPixel = (position) => metresToPixels(projection.forward(position));
  const transform = geoTransform({
    point(lon, lat) {
      this.stream.point(...toPixel([lon, lat]));
    },
  });
  // Outlines are cut outside of the frame, where the cut does not show.
  const cut = geoIdentity().clipExtent(toCorners([left - 5, top - 5, right + 5, bottom + 5]));
  const [west, south, east, north] = [
    [left, bottom],
    [right, top],
  ].flatMap(metresToPixels.invert);
  return {
    frame,
    scale: metresToPixels.scale(),
    metresToPixels,
    toPixel,
    /** Returns the path of GeoJSON in degrees; null for an empty path. */
    toPath: geoPath({ stream: (path) => transform.stream(cut.stream(path)) }).digits(2),
    /** West, south, east and north of the frame in degrees. */
    extent: [
      projection.longitude(west),
      projection.latitude(south),
      projection.longitude(east),
      projection.latitude(north),
    ],
  };
}

const toCorners = ([x1, y1, x2, y2]) => [
  [x1, y1],
  [x2, y2],
];

/**
 * Draws a map in its frame: water, what lies below the graticule, the graticule, what lies above, scale bar and north arrow.
 * @param {ReturnType<typeof fitMap>} map
 * @param {string} id unique in the document
 */
export function drawFrame(map, id, below, above) {
  const { x, y, width, height } = map.frame;
  const rect = svg`x="${x}" y="${y}" width="${width}" height="${height}" rx="6"`;
  return svg`<clipPath id="${id}"><rect ${rect}/></clipPath>
<g clip-path="url(#${id})"><rect ${rect} class="sea"/>
${[below, drawGraticule(map), above, drawScaleBar(map), drawNorthArrow(x + width - 22, y + 26)]}
</g><rect ${rect} class="none frame"/>`;
}

/** Returns the largest of 1, 2 and 5 times a power of ten that is not above a value, for example `37` → `20`. */
function floorToNice(value) {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9);
  return power * [5, 2, 1].find((factor) => factor * power <= value * (1 + 1e-9));
}

/** Draws a scale bar of a round length at the bottom left. */
function drawScaleBar({ frame, scale }) {
  const metres = floorToNice(Math.min(150, frame.width / 3) / scale);
  const [x, y, width] = [frame.x + 14, frame.y + frame.height - 31, metres * scale];
  return svg`<rect x="${x}" y="${y}" width="${width}" height="5" class="page outlined"/>
<rect x="${x}" y="${y}" width="${width / 2}" height="5" class="ink"/>
${text(x, y - 6, 'mark halo', metres < 1000 ? `${metres} m` : `${metres / 1000} km`)}`;
}

function drawNorthArrow(x, y) {
  return svg`<g transform="translate(${x} ${y})"><path d="M0-13 6 5 0 1Z" class="ink"/>
<path d="M0-13-6 5 0 1Z" class="page outlined"/>${text(0, 19, 'mark bold middle halo', 'N')}</g>`;
}

/** Draws round meridians and parallels, with labels along the bottom and the left side of the frame. */
function drawGraticule({ frame: { x, y, width, height }, extent: [west, south, east, north], toPixel }) {
  const labels = [];
  const meridians = roundDegrees(west, east, width / 110, 'WE').map(({ value, label }) => {
    const [at] = toPixel([value, north]);
    if (at > x + 60 && at < x + width - 30) labels.push(text(at, y + height - 7, 'degrees middle quiet halo', label));
    return `M${px(at)} ${px(y)}v${px(height)}`;
  });
  const parallels = roundDegrees(south, north, height / 90, 'SN').map(({ value, label }) => {
    const [, at] = toPixel([west, value]);
    if (at > y + 16 && at < y + height - 62) labels.push(text(x + 6, at - 4, 'degrees quiet halo', label));
    return `M${px(x)} ${px(at)}h${px(width)}`;
  });
  return [svg`<path d="${[...meridians, ...parallels]}" class="none graticule"/>`, labels];
}

/** Returns at most `most` round values, with labels such as `16.85°S`. */
function roundDegrees(from, to, most, [negative, positive]) {
  const step = 1 / floorToNice(most / (to - from));
  const decimals = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  const first = Math.ceil(from / step);
  const count = Math.max(0, Math.floor(to / step) - first + 1);
  return Array.from({ length: count }, (_, i) => {
    const value = (first + i) * step;
    return { value, label: `${Math.abs(value).toFixed(decimals)}°${value < 0 ? negative : positive}` };
  });
}
