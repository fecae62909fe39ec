import prettyBytes from 'pretty-bytes';
import prettyMilliseconds from 'pretty-ms';

/** Formats a time relative to now: `3 minutes ago`, `in 2 hours`, `just now`; `-` for no time. */
export function formatAge(time: string | null | undefined, nowMs: number): string {
  if (!time) return '-';
  const ms = Math.round((Date.parse(time) - nowMs) / 1000) * 1000;
  if (ms === 0) return 'just now';
  const age = prettyMilliseconds(Math.abs(ms), { verbose: true, unitCount: 1 });
  return ms < 0 ? `${age} ago` : `in ${age}`;
}

/** Formats seconds: 125 → `2m 5s`, 90000 → `25h`. */
export function formatDuration(seconds: number): string {
  const ms = Math.round(seconds) * 1000;
  return ms === 0 ? '0s' : prettyMilliseconds(ms, { unitCount: 2, hideYearAndDays: true });
}

/** Formats a number of bytes in powers of 1,000: 1500 → `1.5 kB`. */
export const formatBytes = (bytes: number): string => prettyBytes(bytes);
