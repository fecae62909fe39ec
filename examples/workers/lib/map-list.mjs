import { badge, COLOURS, fitText, px, textAt } from './svg.mjs';

const TITLE_HEIGHT = 48;
const ROW_HEIGHT = 32;

/**
 * How many sites each reef has, with bars: as many reefs as fit the box, then how many more there are.
 * @param {object[]} layouts all of them; the first `numbered` have panels
 * @param {{ x: number, y: number, width: number, height: number }} box pixels
 */
export function drawList(layouts, numbered, box) {
  const room = Math.floor((box.height - TITLE_HEIGHT) / ROW_HEIGHT);
  if (room < 1) return '';
  const listed = layouts.length <= room ? layouts : layouts.slice(0, room - 1);
  const most = Math.max(1, ...layouts.map(({ sites }) => sites));
  const right = box.x + box.width;
  const parts = [textAt(box.x, box.y + 30, 'Sites on each reef', { size: 16, weight: 700 })];
  listed.forEach(({ reef, sites }, index) => {
    const y = box.y + TITLE_HEIGHT + index * ROW_HEIGHT;
    const barY = px(y + 21);
    const barX = box.x + 30;
    const barWidth = box.width - 30;
    if (index < numbered) parts.push(badge(box.x + 10, y + 12, index + 1, 10));
    parts.push(
      textAt(barX, y + 14, fitText(reef.name, barWidth - 80, 13), { size: 13 }),
      textAt(right, y + 14, sites.toLocaleString('en'), { size: 13, weight: 600, anchor: 'end' }),
      `<rect x="${px(barX)}" y="${barY}" width="${px(barWidth)}" height="4" rx="2" fill="${COLOURS.sea}"/>`,
      `<rect x="${px(barX)}" y="${barY}" width="${px((barWidth * sites) / most)}" height="4" rx="2" fill="${COLOURS.site}"/>`,
    );
  });
  const rest = layouts.slice(listed.length);
  if (rest.length > 0) {
    const y = box.y + TITLE_HEIGHT + listed.length * ROW_HEIGHT + 14;
    const sites = rest.reduce((sum, layout) => sum + layout.sites, 0).toLocaleString('en');
    parts.push(
      textAt(box.x + 30, y, `${rest.length} smaller ones`, { fill: COLOURS.faint }),
      textAt(right, y, sites, { weight: 600, anchor: 'end', fill: COLOURS.faint }),
    );
  }
  return parts.join('\n');
}
