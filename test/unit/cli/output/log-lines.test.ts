import { describe, expect, it } from '@jest/globals';
import { formatLocalTime, LogPrinter } from '../../../../src/cli/output/log-lines.js';

describe('LogPrinter', () => {
  const time = new Date(2026, 2, 1, 9, 5, 7).getTime();
  const print = (hasColors: boolean, ...messages: string[]) => {
    let text = '';
    const printer = new LogPrinter({
      isTTY: true,
      hasColors: () => hasColors,
      write: (chunk: string | Uint8Array) => {
        text += String(chunk);
        return true;
      },
    });
    for (const message of messages) printer.print({ timestamp: time, message });
    return text;
  };

  it('prints a number and the local time before each line', () => {
    expect(formatLocalTime(time)).toBe('09:05:07');
    expect(print(false, 'one', '', 'three\n')).toBe('   1  09:05:07  one\n   2  09:05:07  \n   3  09:05:07  three\n');
  });

  it('indents the further lines of a message', () => {
    expect(print(false, 'a\nb\r\n')).toBe(`   1  09:05:07  a\n${' '.repeat(16)}b\n`);
  });

  it('dims numbers, and lines of ReefGuide itself, where the stream has colors', () => {
    expect(print(true, 'one', '[reefguide] two')).toBe(
      '\u001b[2m   1\u001b[22m  09:05:07  one\n\u001b[2m   2\u001b[22m  09:05:07  \u001b[2m[reefguide] two\u001b[22m\n',
    );
    expect(print(false, 'one', '[reefguide] two')).not.toContain('\u001b');
  });

  it('numbers lines past 9,999', () => {
    const text = print(false, ...Array.from({ length: 10_000 }, () => 'x'));
    expect(text.split('\n').at(-2)).toBe('10000  09:05:07  x');
  });
});
