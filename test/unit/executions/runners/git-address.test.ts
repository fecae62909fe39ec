import { expect, it } from '@jest/globals';
import { parseGitAddress } from '../../../../src/executions/runners/git-address.js';

const token = 'github_pat_0123456789';
it.each([
  ['https://host/x.git', {}, 'https://host/x.git', undefined, undefined],
  ['https://host/x.git', { GIT_TOKEN: 'a', GITHUB_TOKEN: 'b' }, 'https://host/x.git', undefined, 'a'],
  ['https://host/x.git', { GIT_TOKEN: '', GITLAB_TOKEN: 'c' }, 'https://host/x.git', undefined, 'c'],
  [`https://${token}@host/x.git`, { GIT_TOKEN: 'a' }, 'https://host/x.git', undefined, token],
  ['https://me:pass@host:8443/x', { GIT_TOKEN: 'a' }, 'https://host:8443/x', 'me', 'pass'],
  ['https://:pass@host/x', {}, 'https://host/x', undefined, 'pass'],
  // A name that says nothing, as some hosts print it.
  ['https://git@host/x.git', {}, 'https://host/x.git', undefined, undefined],
  ['https://git@host/x.git', { GIT_TOKEN: 'a' }, 'https://host/x.git', undefined, 'a'],
  ['https://me:50%25%20@host/x', {}, 'https://host/x', 'me', '50% '],
  ['https://me:50%@host/x', {}, 'https://host/x', 'me', '50%'],
  ['git@host:team/x.git', { GIT_TOKEN: 'a' }, 'git@host:team/x.git', undefined, undefined],
  ['file:///folder/x', { GIT_TOKEN: 'a' }, 'file:///folder/x', undefined, undefined],
])('%s with %j', (given, env, repo, user, found) => {
  expect(parseGitAddress(given, env)).toEqual({ repo, user, token: found });
});
