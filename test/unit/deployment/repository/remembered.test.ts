import { describe, expect, it } from '@jest/globals';
import { chooseSource } from '../../../../src/deployment/repository/remembered.js';

describe('chooseSource', () => {
  it.each([
    [{ target: 't' }, { configRepository: 'r' }, { kind: 'clone', target: 't' }],
    [{ repoDir: 'd' }, { configRepository: 'r' }, { kind: 'directory', directory: 'd' }],
    [{ branch: 'b' }, { configRepository: 'r' }, { kind: 'clone', target: 'r' }],
    [{}, { configRepositoryFolder: 'f' }, { kind: 'directory', directory: 'f' }],
    [{ target: 't' }, { configRepositoryFolder: 'f' }, { kind: 'clone', target: 't' }],
  ])('chooses from the flags %j with %j remembered', (flags, remembered, source) => {
    expect(chooseSource(flags, remembered)).toEqual(source);
  });

  it('hints at --target when nothing is remembered', () => {
    expect(() => chooseSource({}, {})).toThrow(expect.objectContaining({ hint: expect.stringContaining('--target') }));
  });

  it('rejects --branch for a directory', () => {
    expect(() => chooseSource({ branch: 'b' }, { configRepositoryFolder: 'f' })).toThrow('--branch');
  });
});
