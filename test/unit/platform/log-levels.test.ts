import { describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { logLevels, toLevelName } from '../../../src/platform/log-levels.js';

describe('log levels', () => {
  it('match the levels of pino, and silent', () => {
    expect(logLevels).toEqual([...Object.values(pino.levels.labels), 'silent']);
  });

  it.each([
    [30, 'info'],
    ['60', 'fatal'],
    [35, '35'],
    ['loud', 'loud'],
  ])('turn %j into the name %s', (level, name) => {
    expect(toLevelName(level)).toBe(name);
  });
});
