import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createLineReader, cutLine, cutMark, maxLineBytes } from '../../../../src/executions/logs/line-reader.js';

const read = (chunks: readonly Uint8Array[], keepMore = 0) => {
  const reader = createLineReader(keepMore);
  return [...chunks.flatMap((chunk) => reader.push(chunk)), ...reader.end()];
};
const bytes = (...texts: string[]) => texts.map((text) => Buffer.from(text));

describe('lines', () => {
  it.each([
    ['none', [], []],
    ['one', ['a\n'], ['a']],
    ['a last one without its end', ['a\nb'], ['a', 'b']],
    ['empty ones', ['\n\na\n'], ['', '', 'a']],
    ['of Windows', ['a\r\nb\r\n'], ['a', 'b']],
    ['in pieces', ['a', 'b\nc', 'd', '\n'], ['ab', 'cd']],
    ['with a NUL', ['a\0b\n'], ['a\uFFFDb']],
  ])('%s', (_, chunks, lines) => {
    expect(read(bytes(...chunks))).toEqual(lines);
  });

  it('are the same however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 7 }), (text, size) => {
        const whole = Buffer.from(text.replaceAll('\0', ''));
        const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (__, n) =>
          whole.subarray(n * size, (n + 1) * size),
        );
        expect(read(chunks)).toEqual(read([whole]));
      }),
    );
  });

  it('have U+FFFD for what is no UTF-8, at the end too', () => {
    expect(read([Buffer.from([0x61, 0xff, 0x62, 0x0a, 0xe2, 0x82])])).toEqual(['a\uFFFDb', '\uFFFD']);
  });

  it('that never end are kept to the limit', () => {
    const chunks = Array.from({ length: 40 }, () => Buffer.alloc(65_536, 'x'));
    const [line = '', ...others] = read(chunks, 10);
    expect([line.length, others]).toEqual([maxLineBytes + 11, []]);
    expect(read([...chunks, Buffer.from('\nnext\n')])).toEqual(['x'.repeat(maxLineBytes + 1), 'next']);
  });
});

describe('a cut', () => {
  it('leaves a line of 256 KiB as it is', () => {
    const line = 'x'.repeat(maxLineBytes);
    expect(cutLine(line)).toBe(line);
  });

  it('marks a longer one', () => {
    expect(cutLine('x'.repeat(maxLineBytes + 1))).toBe('x'.repeat(maxLineBytes) + cutMark);
  });

  it('halves no character', () => {
    const line = cutLine(`${'é'.repeat(maxLineBytes / 2).slice(1)}🐠🐠`);
    expect(line.endsWith(`é${cutMark}`)).toBe(true);
    expect(line).not.toContain('\uFFFD');
  });
});
