// Class selectors alone, so that the styles stay within the map when a page embeds the document.
const STYLE = `
.map { font: 13px Inter, Helvetica, Arial, "DejaVu Sans", sans-serif }
.title { font-size: 28px } .subtitle, .heading { font-size: 16px } .note { font-size: 12.5px } .mark { font-size: 12px }
.degrees { font-size: 10.5px } .title, .heading, .bold { font-weight: 700 }
.middle { text-anchor: middle } .end { text-anchor: end }
.ink { fill: #12343b } .quiet { fill: #5d7f86 } .page { fill: #ffffff } .outlined { stroke: #12343b; stroke-linejoin: round }
.halo { paint-order: stroke; stroke: #ffffff; stroke-opacity: 0.6; stroke-width: 3; stroke-linejoin: round }
.sea { fill: #e4f1f3 } .land { fill: #d9dccf; stroke: #a3aa94; stroke-width: 0.7 } .frame { stroke: #b9d3d8 } .none { fill: none }
.graticule { stroke: #c3dde1; stroke-dasharray: 3 4 } .leader { stroke: #12343b; stroke-width: 0.8 }
.outline { fill-rule: evenodd } .reef { fill: #f2dfb4 } .shore { stroke: #a9803c; stroke-linejoin: round }
.site { fill: #0b7f8c } .on-map { fill-opacity: 0.86 } .gaps { stroke: #f2dfb4 }
`;

class Markup {
  constructor(text) {
    this.text = text;
  }
}

/**
 * Builds markup from a template, for example svg`<circle r="${5 / 3}"/>` → `<circle r="1.67"/>`. Numbers get two decimals,
 * which are a fiftieth of a printed dot; texts are escaped; markup and lists of markup stay as they are.
 */
export function svg(strings, ...values) {
  return new Markup(String.raw({ raw: strings }, ...values.map(toText)));
}

function toText(value) {
  if (Array.isArray(value)) return value.map(toText).join('\n');
  if (typeof value === 'number') return px(value);
  return value instanceof Markup ? value.text : escapeXml(value);
}

export function px(value) {
  return String(Math.round(value * 100) / 100);
}

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Escapes reserved characters, and drops control characters because XML forbids most of them. */
function escapeXml(value) {
  const allowed = String(value)
    .toWellFormed()
    .replace(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu, '');
  return allowed.replace(/[&<>"]/g, (character) => ENTITIES[character]);
}

/** @param {string} classes of STYLE, for example `bold middle` */
export function text(x, y, classes, content) {
  return svg`<text x="${x}" y="${y}" class="${classes.includes('quiet') ? classes : `ink ${classes}`}">${content}</text>`;
}

/** Shortens a text to about `width` pixels: letters are taken as 0.56 of the font size wide. */
export function fitText(content, width, size) {
  const letters = Math.max(1, Math.floor(width / (size * 0.56)));
  return content.length <= letters ? content : `${content.slice(0, letters - 1).trimEnd()}…`;
}

/** Draws the number of a reef on a disc. */
export function badge(x, y, number, radius) {
  const size = radius + 1;
  return svg`<circle cx="${x}" cy="${y}" r="${radius}" class="ink"/><text x="${x}" y="${y + size * 0.36}"
    font-size="${size}" class="page bold middle">${number}</text>`;
}

/** Returns the text of a whole SVG document that also stands alone: own size, background, font and accessible name. */
export function svgDocument(width, height, title, description, body) {
  return svg`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"
  role="img" aria-labelledby="map-title map-description" class="map">
<title id="map-title">${title}</title>
<desc id="map-description">${description}</desc>
<style>${new Markup(STYLE)}</style>
<rect width="${width}" height="${height}" class="page"/>
${body}
</svg>
`.text;
}
