import { expect, it } from '@jest/globals';
import { parseRange } from '../../../../src/server/routes/files.js';

it.each([
  ['the first bytes', 'bytes=0-9', 100, { start: 0, end: 9 }],
  ['one byte', 'bytes=5-5', 100, { start: 5, end: 5 }],
  ['the rest', 'bytes=90-', 100, { start: 90, end: 99 }],
  ['the last bytes', 'bytes=-10', 100, { start: 90, end: 99 }],
  ['more last bytes than there are', 'bytes=-1000', 100, { start: 0, end: 99 }],
  ['an end past the end', 'bytes=50-1000', 100, { start: 50, end: 99 }],
  ['a start past the end', 'bytes=100-', 100, 'unsatisfiable'],
  ['a start far past the end', 'bytes=99999999999999999999-', 100, 'unsatisfiable'],
  ['the last none', 'bytes=-0', 100, 'unsatisfiable'],
  ['bytes of an empty file', 'bytes=0-', 0, 'unsatisfiable'],
  ['last bytes of an empty file', 'bytes=-5', 0, 'unsatisfiable'],
  ['an end before the start', 'bytes=9-5', 100, 'unsatisfiable'],
  ['no header', undefined, 100, undefined],
  ['no bounds', 'bytes=-', 100, undefined],
  ['several ranges', 'bytes=0-1,5-6', 100, undefined],
  ['another unit', 'lines=0-9', 100, undefined],
  ['no numbers', 'bytes=a-b', 100, undefined],
  ['negative numbers', 'bytes=-5-9', 100, undefined],
])('a Range of %s', (_, header, bytes, range) => {
  expect(parseRange(header, bytes)).toEqual(range);
});
