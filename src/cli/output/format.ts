import Table from 'cli-table3';
import prettyBytes from 'pretty-bytes';
import prettyMilliseconds from 'pretty-ms';
import { getColors } from './colors.js';

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

/** Characters of cli-table3: two spaces between columns, and no lines. */
const borderless = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
};

/** Formats a table without borders, for stdout. */
export function formatTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const table = new Table({
    head: head.map((name) => getColors(process.stdout).bold(name)),
    chars: borderless,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  table.push(...rows.map((row) => row.map(String)));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Formats names and values below each other, e.g. `Status  RUNNING`. Skips empty values. */
export function formatFacts(facts: readonly (readonly [name: string, value: string | number | null | undefined])[]) {
  const shown = facts.filter(([, value]) => value !== undefined && value !== null && value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length)) + 2;
  return shown.map(([name, value]) => `${name.padEnd(width)}${value}`).join('\n');
}
