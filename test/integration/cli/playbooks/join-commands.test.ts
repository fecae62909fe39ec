import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { joinCommands } from '../../../../src/cli/playbooks/join-commands.js';

describe('joinCommands: joined commands', () => {
  const run = (...commands: string[]) => {
    const { stdout, status } = spawnSync('sh', ['-c', joinCommands(commands)], { encoding: 'utf8' });
    return [stdout, status];
  };

  it.each<[string, string[], string, number]>([
    ['stop at the first failure', ['echo a', 'false', 'echo b; echo c'], 'a\n', 1],
    ['share a working directory and variables', ['cd /; X=1', 'pwd; echo $X'], '/\n1\n', 0],
    ['go on after a comment', ['echo a # b', 'echo c'], 'a\nc\n', 0],
    ['go on after a fallback', ['false || echo a', 'echo b'], 'a\nb\n', 0],
    ['fall back only for themselves', ['false', 'true || echo a'], '', 1],
    ['keep here-documents', ['cat <<END\na\nEND', 'echo b'], 'a\nb\n', 0],
  ])('%s', (_, commands, stdout, status) => {
    expect(run(...commands)).toEqual([stdout, status]);
  });
});
