import parse from 'parse-duration';

/** One or more amounts with a unit each, e.g. `1h 30m`. parse-duration would skip whatever it cannot read. */
const durationPattern = /^\s*(\d+(\.\d+)?\s*(ms|s|m|h|d)\s*)+$/;

/** Converts a duration to milliseconds: `90s` → 90000, `1h 30m` → 5400000. Returns undefined for other text, e.g. `5`. */
export const parseDuration = (text: string): number | undefined =>
  durationPattern.test(text) ? (parse(text) ?? undefined) : undefined;
