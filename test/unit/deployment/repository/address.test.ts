import { describe, expect, it } from '@jest/globals';
import { parseRepositoryAddress, removeCredentials } from '../../../../src/deployment/repository/address.js';

describe('repositoryAddress', () => {
  it.each([
    ['https://host/a.git', 'https://host/a.git', 'https://host/a.git'],
    ['https://user:secret@host/a.git', 'https://user:secret@host/a.git', 'https://host/a.git'],
    ['https://token@host:8443/a', 'https://token@host:8443/a', 'https://host:8443/a'],
    ['https://host/a?private_token=secret', 'https://host/a?private_token=secret', 'https://host/a'],
    ['ssh://git@host:22/a.git', 'ssh://git@host:22/a.git', 'ssh://git@host:22/a.git'],
    ['ssh://git:secret@host/a.git', 'ssh://git:secret@host/a.git', 'ssh://git@host/a.git'],
    ['git@host:team/a.git', 'git@host:team/a.git', 'git@host:team/a.git'],
    ['host:a', 'host:a', 'host:a'],
    ['file:///srv/a', 'file:///srv/a', 'file:///srv/a'],
    ['../a b', 'file:///home/a%20b', '../a b'],
    ['./a:b', 'file:///home/tree/a:b', './a:b'],
    ['/srv/a', 'file:///srv/a', '/srv/a'],
  ])('parses %s', (text, clone, shown) => {
    expect(parseRepositoryAddress(text, '/home/tree')).toEqual({ clone, shown });
  });

  it.each([
    ['', 'is empty'],
    [' ', 'is empty'],
    ['--upload-pack=secret', 'begins with a dash'],
    ['-u', 'begins with a dash'],
    ['ext::sh -c secret', 'transport helper'],
    ['fd::17', 'transport helper'],
    ['EXT::secret', 'transport helper'],
    ['a\nsecret', 'control character'],
    ['http://user:secret@host/a', 'received http://'],
    ['git://host/a', 'received git://'],
    ['ftp://host/a', 'received ftp://'],
    ['https://', 'expected a URL'],
    ['ssh://-oProxyCommand=secret/a', 'host'],
    ['-oProxyCommand=secret:a', 'begins with a dash'],
    ['git@-oProxyCommand=secret:a', 'the host begins with a dash'],
    ['user:secret@host/a', 'contains a password'],
  ])('rejects %j without repeating the address', (text, problem) => {
    const message = (() => {
      try {
        return JSON.stringify(parseRepositoryAddress(text, '/home/tree'));
      } catch (error) {
        return error instanceof Error ? error.message : '';
      }
    })();
    expect(message).toMatch(/^Invalid address of the repository: /);
    expect(message).toContain(problem);
    expect(message).not.toContain('secret');
  });
});

describe('removeCredentials', () => {
  it('removes credentials from the output of git', () => {
    const address = { clone: 'https://u:p@host/a?t=secret', shown: 'https://host/a' };
    expect(removeCredentials("unable to access 'https://u:p@host/a?t=secret', https://x:y@other/", address)).toBe(
      "unable to access 'https://host/a', https://other/",
    );
  });
});
