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
  // A user name that is no token, as some hosts print.
  ['https://git@host/x.git', {}, 'https://host/x.git', undefined, undefined],
  ['https://git@host/x.git', { GIT_TOKEN: 'a' }, 'https://host/x.git', undefined, 'a'],
  ['https://me:50%25%20@host/x', {}, 'https://host/x', 'me', '50% '],
  ['https://me:50%@host/x', {}, 'https://host/x', 'me', '50%'],
  ['git@host:team/x.git', { GIT_TOKEN: 'a' }, 'git@host:team/x.git', undefined, undefined],
  ['file:///directory/x', { GIT_TOKEN: 'a' }, 'file:///directory/x', undefined, undefined],
])('parseGitAddress: splits %s with variables %j', (address, env, repo, user, expectedToken) => {
  expect(parseGitAddress(address, env)).toEqual({ repo, user, token: expectedToken });
});
