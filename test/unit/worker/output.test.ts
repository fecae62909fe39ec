import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LineSplitter, parsePayload, parseProgress } from '../../../src/worker/output.js';

describe('parseProgress', () => {
  it.each([
    ['PROGRESS: 0.4 laying sites', { fraction: 0.4, message: 'laying sites' }],
    ['PROGRESS:1', { fraction: 1, message: '' }],
    ['  PROGRESS: .5   half  ', { fraction: 0.5, message: 'half' }],
    ['PROGRESS: 0', { fraction: 0, message: '' }],
  ])('%j', (line, progress) => {
    expect(parseProgress(line)).toEqual(progress);
  });

  it.each([
    'PROGRESS: 1.1 too much',
    'PROGRESS: -0.1',
    'PROGRESS: 40%',
    'PROGRESS:',
    'progress: 0.5',
    'x PROGRESS: 0.5',
    '',
  ])('%j is no progress', (line) => {
    expect(parseProgress(line)).toBeUndefined();
  });

  it('cuts a message at 1,000 characters, which the API takes', () => {
    expect(parseProgress(`PROGRESS: 0.1 ${'x'.repeat(5000)}`)?.message).toHaveLength(1000);
  });
});

describe('parsePayload', () => {
  it.each([
    ['{"a":1}', { a: 1 }],
    ['  {}  ', {}],
    ['{"a":{"b":[1]}}', { a: { b: [1] } }],
  ])('%j', (line, payload) => {
    expect(parsePayload(line)).toEqual(payload);
  });

  it.each(['[1]', '1', '"a"', 'null', '{', '{not json}', 'done {"a":1}', ''])('%j is no payload', (line) => {
    expect(parsePayload(line)).toBeUndefined();
  });
});

describe('LineSplitter', () => {
  const split = (chunks: string[], limit?: number) => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line), limit);
    for (const chunk of chunks) splitter.push(chunk);
    splitter.end();
    return lines;
  };

  it('gives lines whole, however they were cut into chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r\n') })), (chunks) => {
        expect(split([...chunks])).toEqual(split([chunks.join('')]));
      }),
    );
  });

  it.each([
    [['a\nb\n'], ['a', 'b']],
    [['a\r\nb'], ['a', 'b']],
    [
      ['a', 'b\nc'],
      ['ab', 'c'],
    ],
    [['\n\n'], ['', '']],
    [[''], []],
  ])('%j gives %j', (chunks, lines) => {
    expect(split(chunks)).toEqual(lines);
  });

  it('cuts a line without an end at the limit', () => {
    expect(split(['x'.repeat(11)], 10)).toEqual(['x'.repeat(10)]);
  });
});
