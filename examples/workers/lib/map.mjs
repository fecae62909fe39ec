import { drawList } from './map-list.mjs';
import { drawOverview } from './map-overview.mjs';
import { drawPanel } from './map-panel.mjs';
import { COLOURS, document, fitText, textAt } from './svg.mjs';

const WIDTH = 1280;
const MARGIN = 32;
const GAP = 20;
const HEADER = 112;
const FOOTER = 96;
const OVERVIEW_WIDTH = 330;
const LIST_MIN_HEIGHT = 112;
const MAX_PANELS = 9;

/**
 * The map of an assessment, as the text of an SVG document: a panel for each of the largest reefs, and, when there are
 * several reefs, an overview of where all of them lie.
 */
export function drawMap(summary, layouts) {
  const ordered = layouts.toSorted((a, b) => b.reef.areaM2 - a.reef.areaM2);
  const shown = Math.min(ordered.length, MAX_PANELS);
  const columns = shown <= 1 ? 1 : shown <= 2 || shown === 4 ? 2 : 3;
  const rows = Math.ceil(shown / columns);
  const left = ordered.length > 1 ? MARGIN + OVERVIEW_WIDTH + GAP : MARGIN;
  const width = (WIDTH - MARGIN - left - GAP * (columns - 1)) / columns;
  const height = shown === 1 ? 760 : columns === 2 ? 480 : rows === 1 ? 520 : 340;
  const gridHeight = rows * height + (rows - 1) * GAP;
  const panels = ordered.slice(0, shown).map((layout, index) => {
    const column = index % columns;
    const row = Math.floor(index / columns);
    const box = { x: left + column * (width + GAP), y: HEADER + row * (height + GAP), width, height };
    return drawPanel(layout, box, index + 1);
  });
  const body = [header(summary), ...panels, footer(summary, HEADER + gridHeight + 30)];
  if (ordered.length > 1) body.push(...sideColumn(ordered, shown, gridHeight));
  return document(WIDTH, HEADER + gridHeight + FOOTER, title(summary), subtitle(summary), body);
}

/** The overview, and under it the list, which takes the height that the overview leaves. */
function sideColumn(ordered, shown, height) {
  const place = { x: MARGIN, y: HEADER, width: OVERVIEW_WIDTH };
  const overview = drawOverview(ordered, shown, place, height - LIST_MIN_HEIGHT);
  const list = { ...place, y: HEADER + overview.height, height: height - overview.height };
  return [overview.markup, drawList(ordered, shown, list)];
}

function title(summary) {
  return `Candidate sites: ${summary.reefs[0].region ?? summary.region}`;
}

function subtitle(summary) {
  const size = `${summary.x_dist_m} m × ${summary.y_dist_m} m`;
  const kept = summary.threshold_percent === 100 ? 'wholly' : `at least ${summary.threshold_percent} %`;
  const reefs = `${summary.reefs.length.toLocaleString('en')} ${summary.reefs.length === 1 ? 'reef' : 'reefs'}`;
  const sites = summary.sites.toLocaleString('en');
  const area = summary.sites_area_km2.toLocaleString('en', { maximumFractionDigits: 1 });
  return `${sites} sites of ${size} (${area} km²) lying ${kept} on ${reefs}`;
}

function header(summary) {
  return [
    textAt(MARGIN, 52, fitText(title(summary), WIDTH - 2 * MARGIN, 28), { size: 28, weight: 700 }),
    textAt(MARGIN, 80, subtitle(summary), { size: 16, fill: COLOURS.faint }),
  ].join('');
}

function footer(summary, y) {
  const swatch = (x, fill, stroke, label) =>
    `<rect x="${x}" y="${y - 11}" width="18" height="13" rx="2" fill="${fill}" stroke="${stroke}"/>${textAt(x + 26, y, label)}`;
  const note = (line, content) =>
    textAt(MARGIN, y + 26 + line * 19, fitText(content, WIDTH - 2 * MARGIN, 12.5), { size: 12.5, fill: COLOURS.faint });
  const notApplied = [...new Set(summary.criteria_not_applied.map((name) => name.replace(/_(min|max)$/, '')))];
  return [
    swatch(MARGIN, COLOURS.site, COLOURS.site, 'site'),
    swatch(MARGIN + 90, COLOURS.reef, COLOURS.shore, 'reef without a site'),
    swatch(MARGIN + 270, COLOURS.sea, COLOURS.frame, 'water'),
    note(0, 'Sites come from reef outlines alone. WGS 84; scale bars hold at each map’s centre. Not for navigation.'),
    notApplied.length > 0 ? note(1, `Asked for but not applied, for want of data: ${notApplied.join(', ')}.`) : '',
  ].join('');
}
