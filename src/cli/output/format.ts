const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

/** `3 minutes ago`, `in 2 hours`, `just now`. */
export function ago(time: string | null | undefined, nowMs: number): string {
  if (!time) return '-';
  const seconds = Math.round((Date.parse(time) - nowMs) / 1000);
  if (Math.abs(seconds) < 1) return 'just now';
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return 'just now';
}

/** `2m 5s`, from seconds. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / 3600), 'h'],
    [Math.floor(whole / 60) % 60, 'm'],
    [whole % 60, 's'],
  ] as const;
  const shown = parts.filter(([value]) => value > 0).slice(0, 2);
  return shown.length === 0 ? '0s' : shown.map(([value, unit]) => `${value}${unit}`).join(' ');
}

/** `2m`, `90s`, `1h 30m`, `500ms` -> milliseconds; undefined when it is no duration. */
export function parseDuration(text: string): number | undefined {
  const factors: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text.trim()) return undefined;
  return parts.reduce((sum, [, value, unit]) => sum + Number(value) * (factors[unit ?? ''] ?? 0), 0);
}

/** `1.5 MB`, in powers of 1,000. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const names = ['kB', 'MB', 'GB', 'TB'];
  let value = count / 1000;
  let name = 0;
  for (; value >= 999.5 && name < names.length - 1; name += 1) value /= 1000;
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${names[name]}`;
}
