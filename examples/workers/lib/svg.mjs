export const COLOURS = {
  page: '#ffffff',
  ink: '#12343b',
  faint: '#5d7f86',
  sea: '#e4f1f3',
  frame: '#b9d3d8',
  graticule: '#c3dde1',
  reef: '#f2dfb4',
  shore: '#a9803c',
  site: '#0b7f8c',
};

/** Pixels above a map that its caption takes. */
export const CAPTION_HEIGHT = 54;

const FONT = 'Inter, Helvetica, Arial, &quot;DejaVu Sans&quot;, sans-serif';
const METRES_NICE = [1, 2, 5]
  .flatMap((n) => [0, 1, 2, 3, 4, 5, 6].map((power) => n * 10 ** power))
  .sort((a, b) => a - b);
const DEGREES_NICE = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20];

/** Text safe inside an element or a quoted attribute: reserved characters escaped, those XML forbids left out. */
export function escapeXml(value) {
  const named = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return (
    String(value)
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that XML 1.0 forbids.
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
      .replace(/[&<>"]/g, (character) => named[character])
  );
}

/** @param {{ size?: number, weight?: number, anchor?: string, fill?: string, halo?: boolean }} style */
export function textAt(x, y, content, { size = 13, weight = 400, anchor = 'start', fill = COLOURS.ink, halo } = {}) {
  const outline = halo ? ` paint-order="stroke" stroke="${COLOURS.sea}" stroke-width="4" stroke-linejoin="round"` : '';
  return (
    `<text x="${px(x)}" y="${px(y)}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" ` +
    `fill="${fill}"${outline}>${escapeXml(content)}</text>`
  );
}

/** Shortens a text to about `width` pixels: letters are taken as 0.56 of the font size wide. */
export function fitText(content, width, size) {
  const letters = Math.max(1, Math.floor(width / (size * 0.56)));
  return content.length <= letters ? content : `${content.slice(0, letters - 1).trimEnd()}…`;
}

/** A whole SVG document that also stands alone: own size, background, font and accessible name. */
export function document(width, height, title, description, body) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"` +
      ` role="img" aria-labelledby="map-title map-description" font-family="${FONT}">`,
    `<title id="map-title">${escapeXml(title)}</title>`,
    `<desc id="map-description">${escapeXml(description)}</desc>`,
    `<rect width="${width}" height="${height}" fill="${COLOURS.page}"/>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

/** A path of closed rings. Points that would fall within `detail` pixels of the one before are left out. */
export function ringsPath(rings, toPixel, detail = 0.4) {
  return rings
    .map((ring) => {
      const points = [];
      let last;
      for (const position of ring) {
        const point = toPixel(position);
        if (last && Math.hypot(point[0] - last[0], point[1] - last[1]) < detail) continue;
        points.push(`${px(point[0])} ${px(point[1])}`);
        last = point;
      }
      return `M${points.join('L')}Z`;
    })
    .join('');
}

/** A scale bar of a round length, no longer than `room` pixels, with its left end at x and its bar at y. */
export function scaleBar(x, y, pixelsPerMetre, room) {
  const metres = METRES_NICE.findLast((length) => length * pixelsPerMetre <= room) ?? METRES_NICE[0];
  const length = metres * pixelsPerMetre;
  const label = metres < 1000 ? `${metres} m` : `${metres / 1000} km`;
  const half = px(length / 2);
  return (
    `<g><rect x="${px(x)}" y="${px(y - 5)}" width="${px(length)}" height="5" fill="${COLOURS.page}" ` +
    `stroke="${COLOURS.ink}"/><rect x="${px(x)}" y="${px(y - 5)}" width="${half}" height="5" fill="${COLOURS.ink}"/>` +
    `${textAt(x, y - 11, label, { size: 12, halo: true })}</g>`
  );
}

/** The caption above a map: a bold line and a quiet one, after the badge of a numbered map. */
export function caption(box, heading, detail, number) {
  const indent = number === undefined ? 0 : 34;
  const room = box.width - indent;
  return [
    number === undefined ? '' : badge(box.x + 12, box.y + 18, number, 12),
    textAt(box.x + indent, box.y + 17, fitText(heading, room, 16), { size: 16, weight: 700 }),
    textAt(box.x + indent, box.y + 37, fitText(detail, room, 13), { fill: COLOURS.faint }),
  ].join('');
}

export function badge(x, y, number, radius) {
  const size = radius + 1;
  return (
    `<circle cx="${px(x)}" cy="${px(y)}" r="${radius}" fill="${COLOURS.ink}"/>` +
    textAt(x, y + size * 0.36, number, { size, weight: 700, anchor: 'middle', fill: COLOURS.page })
  );
}

export function northArrow(x, y) {
  return (
    `<g transform="translate(${px(x)} ${px(y)})"><path d="M0-13 6 5 0 1Z" fill="${COLOURS.ink}"/>` +
    `<path d="M0-13-6 5 0 1Z" fill="${COLOURS.page}" stroke="${COLOURS.ink}" stroke-linejoin="round"/>` +
    `${textAt(0, 19, 'N', { size: 12, weight: 700, anchor: 'middle', halo: true })}</g>`
  );
}

/**
 * Round meridians and parallels within a frame, with their labels along its bottom and left sides.
 * @param {{ x: number, y: number, width: number, height: number }} frame pixels
 * @param {{ west: number, east: number, south: number, north: number }} extent degrees at the frame's sides
 */
export function graticule(frame, extent) {
  const line = (d) => `<path d="${d}" stroke="${COLOURS.graticule}" stroke-dasharray="3 4" fill="none"/>`;
  const style = { size: 10.5, fill: COLOURS.faint, halo: true };
  const parts = [];
  const steps = (from, to, room) => {
    const step = DEGREES_NICE.find((degrees) => (to - from) / degrees <= room) ?? DEGREES_NICE.at(-1);
    const first = Math.ceil(from / step);
    const count = Math.max(0, Math.floor(to / step) - first + 1);
    const decimals = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
    return Array.from({ length: count }, (_, i) => ({ value: (first + i) * step, decimals }));
  };
  for (const { value, decimals } of steps(extent.west, extent.east, frame.width / 110)) {
    const x = frame.x + ((value - extent.west) / (extent.east - extent.west)) * frame.width;
    parts.push(line(`M${px(x)} ${px(frame.y)}v${px(frame.height)}`));
    const label = `${Math.abs(value).toFixed(decimals)}°${value < 0 ? 'W' : 'E'}`;
    if (x - frame.x > 60 && frame.x + frame.width - x > 30) {
      parts.push(textAt(x, frame.y + frame.height - 7, label, { ...style, anchor: 'middle' }));
    }
  }
  for (const { value, decimals } of steps(extent.south, extent.north, frame.height / 90)) {
    const y = frame.y + ((extent.north - value) / (extent.north - extent.south)) * frame.height;
    parts.push(line(`M${px(frame.x)} ${px(y)}h${px(frame.width)}`));
    const label = `${Math.abs(value).toFixed(decimals)}°${value < 0 ? 'S' : 'N'}`;
    if (y - frame.y > 16 && frame.y + frame.height - y > 62) parts.push(textAt(frame.x + 6, y - 4, label, style));
  }
  return parts.join('');
}

/** Two decimals are a fiftieth of a printed dot. */
export function px(value) {
  return String(Math.round(value * 100) / 100);
}
