import { describe, expect, it } from '@jest/globals';
import { repositoryAddress, withoutCredentials } from '../../../../src/deployment/repository/address.js';
import { chooseSource } from '../../../../src/deployment/repository/remembered.js';

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
  ])('%s', (text, clone, shown) => {
    expect(repositoryAddress(text, '/home/tree')).toEqual({ clone, shown });
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
    ['http://user:secret@host/a', 'begins with http://'],
    ['git://host/a', 'begins with git://'],
    ['ftp://host/a', 'begins with ftp://'],
    ['https://', 'not a valid URL'],
    ['ssh://-oProxyCommand=secret/a', 'host'],
    ['-oProxyCommand=secret:a', 'begins with a dash'],
    ['git@-oProxyCommand=secret:a', 'a host that begins with a dash'],
    ['user:secret@host/a', 'holds a password'],
  ])('refuses %j without repeating it', (text, why) => {
    const message = (() => {
      try {
        return JSON.stringify(repositoryAddress(text, '/home/tree'));
      } catch (error) {
        return error instanceof Error ? error.message : '';
      }
    })();
    expect(message).toMatch(/^The repository's address /);
    expect(message).toContain(why);
    expect(message).not.toContain('secret');
  });

  it("takes credentials out of git's words", () => {
    const address = { clone: 'https://u:p@host/a?t=secret', shown: 'https://host/a' };
    expect(withoutCredentials("unable to access 'https://u:p@host/a?t=secret', https://x:y@other/", address)).toBe(
      "unable to access 'https://host/a', https://other/",
    );
  });
});

describe('chooseSource', () => {
  const remembered = { configRepository: 'r' };
  it.each([
    [{ target: 't' }, remembered, { kind: 'clone', target: 't' }],
    [{ repoDir: 'd' }, remembered, { kind: 'folder', folder: 'd' }],
    [{ branch: 'b' }, remembered, { kind: 'clone', target: 'r' }],
    [{}, { configRepositoryFolder: 'f' }, { kind: 'folder', folder: 'f' }],
    [{ target: 't' }, { configRepositoryFolder: 'f' }, { kind: 'clone', target: 't' }],
  ])('%j with %j remembered', (flags, known, source) => {
    expect(chooseSource(flags, known)).toEqual(source);
  });

  it('says what to pass when nothing is known', () => {
    expect(() => chooseSource({}, {})).toThrow(expect.objectContaining({ hint: expect.stringContaining('--target') }));
  });

  it('has no branch for a folder', () => {
    expect(() => chooseSource({ branch: 'b' }, { configRepositoryFolder: 'f' })).toThrow('--branch');
  });
});
