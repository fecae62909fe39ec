import { describe, expect, it } from '@jest/globals';
import { findNearestName } from '../../../../src/cli/playbooks/nearest-name.js';

describe('findNearestName', () => {
  it.each([
    ['comands', 'commands'],
    ['image_', 'image'],
    ['Images', 'image'],
    ['repo', 'git_repo'],
    ['gitref', 'git_ref'],
    ['x', undefined],
    ['', undefined],
    ['schedule', undefined],
  ])('finds for %j: %s', (typed, name) => {
    expect(findNearestName(typed, ['commands', 'image', 'git_repo', 'git_ref', 'env'])).toBe(name);
  });
});
