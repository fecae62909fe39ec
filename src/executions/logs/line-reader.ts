import { StringDecoder } from 'node:string_decoder';

/** Lines beyond it are cut, so that one without an end costs no memory. */
export const maxLineBytes = 262_144;

export const cutMark = ' … [cut: the line is longer than 256 KiB]';

/**
 * Cuts bytes into lines. Bytes that are no UTF-8 become U+FFFD, as do NUL characters, which Postgres cannot hold. Of a line
 * that is too long the beginning is kept, and `keepMore` characters beyond the limit: so whoever masks
 * a secret sees the whole of one that crosses the cut.
 */
export function createLineReader(keepMore = 0) {
  const decoder = new StringDecoder('utf8');
  // One more than the limit, by which it is seen that something was cut.
  const most = maxLineBytes + 1 + keepMore;
  let rest = '';

  const take = (text: string): string[] => {
    const lines = text.split('\n');
    const first = rest + (lines[0] ?? '');
    rest = '';
    lines[0] = first;
    const unfinished = lines.pop() ?? '';
    rest = unfinished.length > most ? unfinished.slice(0, most) : unfinished;
    return lines.map((line) => clean(line.length > most ? line.slice(0, most) : line));
  };

  return {
    /** The lines that `chunk` completes. */
    push: (chunk: Uint8Array): string[] =>
      take(decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))),
    /** What stands after the last line break, if anything does. */
    end(): string[] {
      const last = rest + decoder.end();
      rest = '';
      return last === '' ? [] : [clean(last)];
    },
  };
}

const clean = (line: string) => (line.endsWith('\r') ? line.slice(0, -1) : line).replaceAll('\0', '\uFFFD');

/** A line of at most `maxLineBytes` bytes, with a mark where it was cut. */
export function cutLine(line: string): string {
  // A character takes three bytes at most (of UTF-16's two-unit ones each unit takes two).
  if (line.length * 3 <= maxLineBytes || Buffer.byteLength(line) <= maxLineBytes) return line;
  const bytes = Buffer.from(line).subarray(0, maxLineBytes);
  // A character that the cut halves is left out.
  return new StringDecoder('utf8').write(bytes) + cutMark;
}
