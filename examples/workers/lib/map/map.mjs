import { drawList } from './list.mjs';
import { drawOverview } from './overview.mjs';
import { drawPanel } from './panel.mjs';
import { fitText, svg, svgDocument, text } from './svg.mjs';

const WIDTH = 1280;
const MARGIN = 32;
const GAP = 20;
const HEADER = 112;
const FOOTER = 96;
const OVERVIEW_WIDTH = 330;
const LIST_MIN_HEIGHT = 112;
const MAX_PANELS = 9;

/**
 * Draws the map of an assessment as the text of an SVG document: a panel for each of the largest reefs, and, when there are
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
    const [column, row] = [index % columns, Math.floor(index / columns)];
    const box = { x: left + column * (width + GAP), y: HEADER + row * (height + GAP), width, height };
    return drawPanel(layout, box, index + 1);
  });
  const side = ordered.length > 1 ? drawSideColumn(ordered, shown, gridHeight) : { markup: [], hasLand: false };
  const footer = drawFooter(summary, side.hasLand, HEADER + gridHeight + 30);
  const body = [drawHeader(summary), panels, side.markup, footer];
  return svgDocument(WIDTH, HEADER + gridHeight + FOOTER, title(summary), subtitle(summary), body);
}

/** Draws the overview, and the list below, which takes the height that the overview leaves. */
function drawSideColumn(ordered, shown, height) {
  const place = { x: MARGIN, y: HEADER, width: OVERVIEW_WIDTH };
  const overview = drawOverview(ordered, shown, place, height - LIST_MIN_HEIGHT);
  const list = { ...place, y: HEADER + overview.height, height: height - overview.height };
  return { markup: [overview.markup, drawList(ordered, shown, list)], hasLand: overview.hasLand };
}

function title(summary) {
  return `Candidate sites: ${summary.reefs[0].region ?? summary.region}`;
}

/** Describes the result, for example `3,427 sites of 100 m × 100 m (34.3 km²) lying wholly on 2 reefs`. */
function subtitle(summary) {
  const size = `${summary.x_dist_m} m × ${summary.y_dist_m} m`;
  const share = summary.threshold_percent === 100 ? 'wholly' : `at least ${summary.threshold_percent} %`;
  const reefs = `${summary.reefs.length.toLocaleString('en')} ${summary.reefs.length === 1 ? 'reef' : 'reefs'}`;
  const sites = summary.sites.toLocaleString('en');
  const area = summary.sites_area_km2.toLocaleString('en', { maximumFractionDigits: 1 });
  return `${sites} sites of ${size} (${area} km²) lying ${share} on ${reefs}`;
}

function drawHeader(summary) {
  return [
    text(MARGIN, 52, 'title', fitText(title(summary), WIDTH - 2 * MARGIN, 28)),
    text(MARGIN, 80, 'subtitle quiet', subtitle(summary)),
  ];
}

/** Draws the legend and the notes. Land is drawn in the overview alone, because panels need a finer coastline. */
function drawFooter(summary, hasLand, y) {
  const swatch = (
    x,
    classes,
    label,
  ) => svg`<rect x="${x}" y="${y - 11}" width="18" height="13" rx="2" class="${classes}"/>
${text(x + 26, y, '', label)}`;
  const note = (line, content) =>
    text(MARGIN, y + 26 + line * 19, 'note quiet', fitText(content, WIDTH - 2 * MARGIN, 12.5));
  const notApplied = [...new Set(summary.criteria_not_applied.map((name) => name.replace(/_(min|max)$/, '')))];
  const land = hasLand ? ' Land, in the overview alone: Natural Earth, 1:10,000,000.' : '';
  const sources =
    'Sites come from reef outlines alone. WGS 84; scale bars hold at each map’s centre. Not for navigation.';
  return [
    swatch(MARGIN, 'site', 'site'),
    swatch(MARGIN + 90, 'reef shore', 'reef without a site'),
    swatch(MARGIN + 270, 'sea frame', 'water'),
    hasLand ? swatch(MARGIN + 370, 'land', 'land') : [],
    note(0, `${sources}${land}`),
    notApplied.length > 0
      ? note(1, `Requested but not applied, because data is missing: ${notApplied.join(', ')}.`)
      : [],
  ];
}
