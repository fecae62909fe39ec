#!/usr/bin/env node
// A handler of SUITABILITY_ASSESSMENT jobs: lays candidate sites on reef outlines. README.md says what it does and does not.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeSites } from './lib/geojson.mjs';
import { countCandidates, countSites, gridOver, layRuns } from './lib/grid.mjs';
import { InputError, oneLine, readInputPayload, reportProgress } from './lib/job.mjs';
import { drawMap } from './lib/map.mjs';
import { readAssessment } from './lib/payload.mjs';
import { loadReefs, selectReefs } from './lib/reefs.mjs';
import { summarise } from './lib/summary.mjs';

const BUILT_IN_REEFS = fileURLToPath(new URL('data/reefs.geojson', import.meta.url));
const PROGRESS_LINES = 200;

async function run(env) {
  const assessment = readAssessment(await readInputPayload(env, process.stdin));
  if (!env.OUTPUT_DIR) throw new InputError('NO_OUTPUT_DIR', 'OUTPUT_DIR is not set');
  const { reefs, notApplied } = selectReefs(await loadReefs(env.REEFS_FILE || BUILT_IN_REEFS), assessment);
  assessment.notApplied.push(...notApplied);

  const layouts = layAll(reefs, assessment);
  const summary = summarise(assessment, layouts);
  reportProgress(0.6, `writing ${summary.sites} sites`);
  await writeSites(join(env.OUTPUT_DIR, 'sites.geojson'), summary, layouts);
  reportProgress(0.95, 'drawing the map');
  await writeFile(join(env.OUTPUT_DIR, 'sites.svg'), drawMap(summary, layouts));
  reportProgress(1, `${summary.sites} sites written`);
  return { geojson_path: 'sites.geojson' };
}

/** Progress goes to 0.6 here: for large results, writing the file takes the rest of the time. */
function layAll(reefs, { xDist, yDist, threshold }) {
  const grids = reefs.map((reef) => gridOver(reef, xDist, yDist));
  const candidates = countCandidates(grids);
  const everyNth = Math.ceil(reefs.length / PROGRESS_LINES);
  let tried = 0;
  return reefs.map((reef, index) => {
    const grid = grids[index];
    const runs = layRuns(reef, grid, threshold);
    const layout = { reef, grid, runs, candidates: grid.columns * grid.rows, sites: countSites(runs) };
    tried += layout.candidates;
    if (index % everyNth === 0) {
      reportProgress(
        (0.6 * tried) / candidates,
        `${reef.name}: ${layout.sites} sites of ${layout.candidates} candidates`,
      );
    }
    return layout;
  });
}

try {
  const result = await run(process.env);
  process.stdout.write(`${JSON.stringify(result)}\n`);
} catch (error) {
  // The worker shows the last line of standard error as the job's reason.
  if (!(error instanceof InputError)) process.stderr.write(`${error.stack}\n`);
  process.stderr.write(`${oneLine(error.message)}\n`);
  process.exitCode = 1;
}
