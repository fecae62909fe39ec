import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LineReader, maxLineBytes, truncateLine, truncationMark } from '../../../../src/executions/logs/line-reader.js';

const read = (chunks: readonly Uint8Array[], lookahead = 0) => {
  const reader = new LineReader(lookahead);
  return [...chunks.flatMap((chunk) => reader.push(chunk)), ...reader.end()];
};
const bytes = (...texts: string[]) => texts.map((text) => Buffer.from(text));

describe('LineReader', () => {
  it.each([
    ['nothing from no bytes', [], []],
    ['one line', ['a\n'], ['a']],
    ['a last line without a line break', ['a\nb'], ['a', 'b']],
    ['empty lines', ['\n\na\n'], ['', '', 'a']],
    ['lines of Windows', ['a\r\nb\r\n'], ['a', 'b']],
    ['lines that arrive in pieces', ['a', 'b\nc', 'd', '\n'], ['ab', 'cd']],
    ['U+FFFD for NUL', ['a\0b\n'], ['a\uFFFDb']],
  ])('reads %s', (_, chunks, lines) => {
    expect(read(bytes(...chunks))).toEqual(lines);
  });

  it('reads the same lines however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 7 }), (text, size) => {
        const all = Buffer.from(text.replaceAll('\0', ''));
        const chunks = Array.from({ length: Math.ceil(all.length / size) }, (__, n) =>
          all.subarray(n * size, (n + 1) * size),
        );
        expect(read(chunks)).toEqual(read([all]));
      }),
    );
  });

  it('reads U+FFFD for bytes that are not UTF-8, at the end too', () => {
    expect(read([Buffer.from([0x61, 0xff, 0x62, 0x0a, 0xe2, 0x82])])).toEqual(['a\uFFFDb', '\uFFFD']);
  });

  it('drops the rest of an endless line', () => {
    const chunks = Array.from({ length: 40 }, () => Buffer.alloc(65_536, 'x'));
    const [line = '', ...more] = read(chunks, 10);
    expect([line.length, more]).toEqual([maxLineBytes + 11, []]);
    expect(read([...chunks, Buffer.from('\nnext\n')])).toEqual(['x'.repeat(maxLineBytes + 1), 'next']);
  });
});

describe('truncateLine', () => {
  it('leaves a line of 256 KiB alone', () => {
    const line = 'x'.repeat(maxLineBytes);
    expect(truncateLine(line)).toBe(line);
  });

  it('cuts and marks a longer line', () => {
    expect(truncateLine('x'.repeat(maxLineBytes + 1))).toBe('x'.repeat(maxLineBytes) + truncationMark);
  });

  it('halves no character', () => {
    const line = truncateLine(`${'é'.repeat(maxLineBytes / 2).slice(1)}🐠🐠`);
    expect(line.endsWith(`é${truncationMark}`)).toBe(true);
    expect(line).not.toContain('\uFFFD');
  });
});
