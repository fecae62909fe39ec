import type { Progress } from '../contract/jobs.js';

/** Parses `PROGRESS: 0.4 laying sites` → `{ fraction: 0.4, message: 'laying sites' }`; undefined for any other line. */
export function parseProgress(line: string): Progress | undefined {
  const match = /^PROGRESS:\s*([0-9]*\.?[0-9]+)(?:\s+(.*))?$/.exec(line.trim());
  if (!match) return undefined;
  const fraction = Number(match[1]);
  if (!(fraction >= 0 && fraction <= 1)) return undefined;
  return { fraction, message: (match[2] ?? '').slice(0, 1000) };
}

/** Parses a line that holds a JSON object, the form of a result payload; undefined for any other line. */
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

/** Splits a stream of text into lines without `\n` or `\r\n`. Cuts a line after `maxLength` characters, so that memory stays bounded. */
export class LineSplitter {
  private rest = '';

  constructor(
    private readonly onLine: (line: string) => void,
    private readonly maxLength = 262_144,
  ) {}

  push(chunk: string): void {
    const lines = (this.rest + chunk).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    if (this.rest.length > this.maxLength) {
      this.onLine(this.rest.slice(0, this.maxLength));
      this.rest = '';
    }
  }

  /** Passes on a last line that has no line end. */
  end(): void {
    if (this.rest !== '') this.onLine(this.rest);
    this.rest = '';
  }
}
