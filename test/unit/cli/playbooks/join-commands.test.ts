import { describe, expect, it } from '@jest/globals';
import { joinCommands } from '../../../../src/cli/playbooks/join-commands.js';

describe('joinCommands', () => {
  it.each([
    [['a'], 'a'],
    [['a', 'b', 'c'], 'a && b && c'],
    [['a | b', 'c && d', 'e 2>&1', 'f &> g'], 'a | b && c && d && e 2>&1 && f &> g'],
    [['a; b'], 'a; b'],
    [['a; b', 'c'], '{ a; b\n} && c'],
    [['a || b', 'c'], '{ a || b\n} && c'],
    [['a # why', 'b'], '{ a # why\n} && b'],
    [['a &', 'b'], '{ a &\n} && b'],
    [['a\nb', 'c'], '{ a\nb\n} && c'],
  ])('joins %j', (commands, joined) => {
    expect(joinCommands(commands)).toBe(joined);
  });
});
