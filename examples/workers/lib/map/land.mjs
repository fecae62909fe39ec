import { createRequire } from 'node:module';
import { bbox } from '@turf/bbox';
import { feature } from 'topojson-client';

/**
 * Reads land of the world at 1:10,000,000 (Natural Earth, public domain, from the package `world-atlas`). Land that crosses
 * the 180th meridian, for example Fiji, is left out, because the outline would run around the world.
 * @param {[number, number, number, number]} extent west, south, east and north in degrees
 * @returns {{ type: 'MultiPolygon', coordinates: [number, number][][][] }} islands and continents that reach the extent
 */
export function readLand([west, south, east, north]) {
  const topology = createRequire(import.meta.url)('world-atlas/land-10m.json');
  const [{ geometry }] = feature(topology, topology.objects.land).features;
  const coordinates = geometry.coordinates.filter((polygon) => {
    const [minLon, minLat, maxLon, maxLat] = bbox({ type: 'Polygon', coordinates: polygon });
    return minLon <= east && maxLon >= west && minLat <= north && maxLat >= south && maxLon - minLon < 180;
  });
  return { type: 'MultiPolygon', coordinates };
}
