#!/usr/bin/env node
// Handles SUITABILITY_ASSESSMENT jobs: lays candidate sites on reef outlines. README.md says what is and is not assessed.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeSites } from './lib/geojson.mjs';
import { countCandidates, countSites, gridOver, layShares } from './lib/grid.mjs';
import { InputError, oneLine, readInputPayload, reportProgress } from './lib/job.mjs';
import { drawMap } from './lib/map/map.mjs';
import { readAssessment } from './lib/payload.mjs';
import { loadReefs, selectReefs } from './lib/reefs.mjs';
import { summarise } from './lib/summary.mjs';

const BUILT_IN_REEFS = fileURLToPath(new URL('data/reefs.geojson', import.meta.url));
const PROGRESS_LINES = 200;

async function run(env) {
  const assessment = readAssessment(await readInputPayload(env, process.stdin));
  if (!env.OUTPUT_DIR) throw new InputError('Missing OUTPUT_DIR: set it to the directory for the results');
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

/** Lays the sites of each reef. Progress ends at 0.6, because a large file takes the rest of the time to write. */
function layAll(reefs, { xDist, yDist, threshold }) {
  const grids = reefs.map((reef) => gridOver(reef, xDist, yDist));
  const allCandidates = countCandidates(grids);
  const everyNth = Math.ceil(reefs.length / PROGRESS_LINES);
  let tried = 0;
  return reefs.map((reef, index) => {
    const grid = grids[index];
    const shares = layShares(reef, grid, threshold);
    const [candidates, sites] = [shares.length, countSites(shares)];
    tried += candidates;
    if (index % everyNth === 0) {
      reportProgress((0.6 * tried) / allCandidates, `${reef.name}: ${sites} sites of ${candidates} candidates`);
    }
    return { reef, grid, shares, candidates, sites };
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
