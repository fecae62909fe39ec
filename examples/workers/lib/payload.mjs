import { InputError } from './job.mjs';

const UNDERSTOOD = new Set(['region', 'reef_type', 'x_dist', 'y_dist', 'threshold']);
const MIN_SITE_SIDE_M = 1;

/**
 * @typedef {object} Assessment
 * @property {string} region
 * @property {string} reefType
 * @property {number} xDist metres, east to west
 * @property {number} yDist metres, south to north
 * @property {number} threshold percent of a site's area that must lie on the reef, 0 to 100
 * @property {string[]} notApplied names of inputs that need data this program does not have
 */

/**
 * Reads the input payload of a SUITABILITY_ASSESSMENT job.
 * @returns {Assessment}
 * @throws {InputError} naming the first input that is wrong
 */
export function readAssessment(payload) {
  return {
    region: requireText(payload, 'region'),
    reefType: requireText(payload, 'reef_type'),
    xDist: requireSide(payload, 'x_dist'),
    yDist: requireSide(payload, 'y_dist'),
    threshold: readThreshold(payload.threshold),
    notApplied: Object.keys(payload).filter((key) => !UNDERSTOOD.has(key) && payload[key] != null),
  };
}

function requireText(payload, key) {
  const value = payload[key];
  if (typeof value !== 'string' || value.trim() === '') throw new InputError('BAD_INPUT', `${key} must be a text`);
  return value.trim();
}

function requireSide(payload, key) {
  const value = payload[key];
  if (typeof value !== 'number' || !Number.isFinite(value) || value < MIN_SITE_SIDE_M) {
    throw new InputError('BAD_INPUT', `${key} must be a number of metres, ${MIN_SITE_SIDE_M} or more`);
  }
  return value;
}

function readThreshold(value) {
  if (value == null) return 100;
  if (typeof value !== 'number' || !(value >= 0 && value <= 100)) {
    throw new InputError('BAD_INPUT', 'threshold must be a percentage from 0 to 100');
  }
  return value;
}
