import { StringDecoder } from 'node:string_decoder';

/** Limit of a line, because output without line breaks must not take unbounded memory. */
export const maxLineBytes = 262_144;

export const truncationMark = ' … [cut: the line is longer than 256 KiB]';

/**
 * Splits bytes into lines. Replaces invalid UTF-8 by U+FFFD, and NUL too, because Postgres cannot store NUL. Drops the
 * rest of a line after the limit and `lookaheadCharacters` more: with the length of the longest secret as lookahead, a
 * secret across the limit is still seen whole, and redacted.
 */
export class LineReader {
  private readonly decoder = new StringDecoder('utf8');
  /** One character more than the limit, by which `truncateLine` detects dropped characters. */
  private readonly maxCharacters: number;
  private rest = '';

  constructor(lookaheadCharacters = 0) {
    this.maxCharacters = maxLineBytes + 1 + lookaheadCharacters;
  }

  /** Returns the lines that `chunk` completes: `a`, then `b\nc` → `ab`. */
  push(chunk: Uint8Array): string[] {
    const lines = this.decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)).split('\n');
    lines[0] = this.rest + (lines[0] ?? '');
    this.rest = (lines.pop() ?? '').slice(0, this.maxCharacters);
    return lines.map((line) => clean(line.slice(0, this.maxCharacters)));
  }

  /** Returns the text after the last line break, or nothing for output that ends with a line break. */
  end(): string[] {
    const last = this.rest + this.decoder.end();
    this.rest = '';
    return last === '' ? [] : [clean(last)];
  }
}

const clean = (line: string) => (line.endsWith('\r') ? line.slice(0, -1) : line).replaceAll('\0', '\uFFFD');

/** Returns a line of at most `maxLineBytes` bytes, plus a mark where the line was truncated. Halves no character. */
export function truncateLine(line: string): string {
  // A UTF-16 code unit takes at most three bytes of UTF-8, so most lines need no count.
  if (line.length * 3 <= maxLineBytes || Buffer.byteLength(line) <= maxLineBytes) return line;
  const bytes = Buffer.from(line).subarray(0, maxLineBytes);
  return new StringDecoder('utf8').write(bytes) + truncationMark;
}
