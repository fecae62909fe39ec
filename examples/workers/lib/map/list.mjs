import { badge, fitText, svg, text } from './svg.mjs';

const TITLE_HEIGHT = 48;
const ROW_HEIGHT = 32;

/**
 * Lists how many sites each reef has, with bars: as many reefs as fit the box, then how many more there are.
 * @param {object[]} layouts all of them; the first `numbered` have panels
 * @param {{ x: number, y: number, width: number, height: number }} box pixels
 */
export function drawList(layouts, numbered, box) {
  const room = Math.floor((box.height - TITLE_HEIGHT) / ROW_HEIGHT);
  if (room < 1) return [];
  const listed = layouts.length <= room ? layouts : layouts.slice(0, room - 1);
  const maxSites = Math.max(1, ...layouts.map(({ sites }) => sites));
  const [x, width, right] = [box.x + 30, box.width - 30, box.x + box.width];
  const rows = listed.map(({ reef, sites }, index) => {
    const y = box.y + TITLE_HEIGHT + index * ROW_HEIGHT;
    const bar = (length, fill) =>
      svg`<rect x="${x}" y="${y + 21}" width="${length}" height="4" rx="2" class="${fill}"/>`;
    return [
      index < numbered ? badge(box.x + 10, y + 12, index + 1, 10) : [],
      text(x, y + 14, '', fitText(reef.name, width - 80, 13)),
      text(right, y + 14, 'bold end', sites.toLocaleString('en')),
      bar(width, 'sea'),
      bar((width * sites) / maxSites, 'site'),
    ];
  });
  const rest = layouts.slice(listed.length);
  if (rest.length > 0) {
    const y = box.y + TITLE_HEIGHT + listed.length * ROW_HEIGHT + 14;
    const sites = rest.reduce((sum, layout) => sum + layout.sites, 0).toLocaleString('en');
    rows.push([text(x, y, 'quiet', `${rest.length} smaller reefs`), text(right, y, 'bold end quiet', sites)]);
  }
  return [text(box.x, box.y + 30, 'heading', 'Sites on each reef'), rows];
}
