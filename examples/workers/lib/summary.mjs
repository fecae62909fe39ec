/**
 * Summarises what was asked, what came out and what was not applied: the `summary` member of the GeoJSON.
 * @param {import('./payload.mjs').Assessment} assessment
 */
export function summarise(assessment, layouts) {
  const sites = sum(layouts.map((layout) => layout.sites));
  return {
    region: assessment.region,
    reef_type: assessment.reefType,
    x_dist_m: assessment.xDist,
    y_dist_m: assessment.yDist,
    threshold_percent: assessment.threshold,
    candidates: sum(layouts.map((layout) => layout.candidates)),
    sites,
    sites_area_km2: km2(sites * assessment.xDist * assessment.yDist),
    criteria_not_applied: assessment.notApplied,
    notes: [
      'Sites come from reef outlines alone. Criteria such as depth need rasters that this example does not have.',
      'reef_type chooses whole reefs, not the part of a reef.',
    ],
    reefs: layouts.map(({ reef, candidates, sites }) => ({
      name: reef.name,
      region: reef.region,
      area_km2: km2(reef.areaM2),
      candidates,
      sites,
    })),
  };
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

function km2(squareMetres) {
  return Math.round(squareMetres) / 1e6;
}
