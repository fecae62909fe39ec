import type { Progress } from '../contract/jobs.js';

/** `PROGRESS: 0.4 laying sites` -> fraction and message; undefined for any other line. */
export function parseProgress(line: string): Progress | undefined {
  const match = /^PROGRESS:\s*([0-9]*\.?[0-9]+)(?:\s+(.*))?$/.exec(line.trim());
  if (!match) return undefined;
  const fraction = Number(match[1]);
  if (!(fraction >= 0 && fraction <= 1)) return undefined;
  return { fraction, message: (match[2] ?? '').slice(0, 1000) };
}

/** A line of JSON that is an object: what a program prints as its result payload. */
export function parsePayload(line: string): Record<string, unknown> | undefined {
  const text = line.trim();
  if (!text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Cuts a stream of text into lines; a line over `limit` characters is cut there, so that memory stays bounded. */
export function createLineSplitter(onLine: (line: string) => void, limit = 262_144) {
  let rest = '';
  return {
    push(chunk: string) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
      if (rest.length > limit) {
        onLine(rest.slice(0, limit));
        rest = '';
      }
    },
    end() {
      if (rest !== '') onLine(rest);
      rest = '';
    },
  };
}
