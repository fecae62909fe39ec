import { z } from 'zod';
import { check } from './job.mjs';

const name = z.string('expected a text').trim().min(1, 'expected a text');
const siteSide = z.number('expected a number of metres, 1 or more').min(1, 'expected a number of metres, 1 or more');
const percent = z
  .number('expected a percentage from 0 to 100')
  .min(0, 'expected a percentage from 0 to 100')
  .max(100, 'expected a percentage from 0 to 100');

const payloadSchema = z.object({
  region: name,
  reef_type: name,
  x_dist: siteSide,
  y_dist: siteSide,
  threshold: percent.nullish(),
});

/**
 * @typedef {object} Assessment
 * @property {string} region
 * @property {string} reefType
 * @property {number} xDist metres, east to west
 * @property {number} yDist metres, south to north
 * @property {number} threshold percent of a site's area that must lie on the reef, 0 to 100
 * @property {string[]} notApplied names of inputs that need data this program does not have, for example `depth_min`
 */

/**
 * Reads the input payload of a SUITABILITY_ASSESSMENT job.
 * @returns {Assessment}
 * @throws {InputError} naming the first input that is wrong
 */
export function readAssessment(payload) {
  const { region, reef_type: reefType, x_dist: xDist, y_dist: yDist, threshold } = check(payloadSchema, payload);
  const notApplied = Object.keys(payload).filter((key) => !(key in payloadSchema.shape) && payload[key] != null);
  return { region, reefType, xDist, yDist, threshold: threshold ?? 100, notApplied };
}
