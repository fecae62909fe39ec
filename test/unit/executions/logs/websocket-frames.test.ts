import { describe, expect, it } from '@jest/globals';
import { encodeMessages } from '../../../../src/executions/logs/websocket-frames.js';

describe('encodeMessages', () => {
  it.each([
    ['an empty message', 0, [0x81, 0]],
    ['125 bytes', 125, [0x81, 125]],
    ['126 bytes', 126, [0x81, 126, 0, 126]],
    ['65,535 bytes', 65_535, [0x81, 126, 0xff, 0xff]],
    ['65,536 bytes', 65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ])('writes the length of %s into the header', (_, length, header) => {
    const bytes = encodeMessages(['x'.repeat(length)]);
    expect([...bytes.subarray(0, header.length)]).toEqual(header);
    expect(bytes.subarray(header.length).toString()).toBe('x'.repeat(length));
  });

  it('writes messages one behind the other, with lengths in bytes', () => {
    expect(encodeMessages(['é', '']).toString('hex')).toBe('8102c3a98100');
  });
});
