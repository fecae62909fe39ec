import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { SetupError } from '../../contract/errors.js';

/** Where a repository is: what git is given, and what is printed and remembered, which holds no credentials. */
export interface RepositoryAddress {
  clone: string;
  shown: string;
}

const hint = 'Give an https:// or ssh:// address, git@host:path, or the path of a repository on this machine.';
const refused = (why: string) => new SetupError(`The repository's address ${why}`, { hint });

/**
 * Reads what `--target` names. Addresses that git could take for an option or that run programs (`ext::`) are refused, and
 * so are unencrypted ones. A local path counts from `cwd`. No message repeats the address: it may hold a password.
 */
export function repositoryAddress(text: string, cwd: string): RepositoryAddress {
  if (text.trim() === '') throw refused('is empty');
  if (text.startsWith('-')) throw refused('begins with a dash');
  if (/\p{Cc}/u.test(text)) throw refused('holds a control character');
  if (/^[^/]*::/.test(text)) throw refused('names a transport helper of git, which could run any program');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return fromUrl(text);
  // As git sees it, a colon before the first slash parts a host from a path.
  if (/^[^/]*:/.test(text)) return fromHostAndPath(text);
  // As a URL, since git ignores --depth for a plain path.
  return { clone: pathToFileURL(path.resolve(cwd, text)).href, shown: text };
}

function fromUrl(text: string): RepositoryAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refused('is not a valid URL');
  }
  if (!['https:', 'ssh:', 'file:'].includes(url.protocol)) {
    throw refused(`begins with ${url.protocol}//, not https://, ssh:// or file://`);
  }
  if (url.hostname.startsWith('-')) throw refused('has a host that begins with a dash');
  if (url.protocol === 'file:') return { clone: text, shown: text };
  // The user of ssh is a part of the address (git@); that of https may itself be a token.
  if (url.protocol === 'https:') url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  return { clone: text, shown: url.href };
}

function fromHostAndPath(text: string): RepositoryAddress {
  if (/^[^/:]*:[^/]*@/.test(text)) throw refused('holds a password where git expects a path');
  if (/^(?:[^@:/]*@)?-/.test(text)) throw refused('has a host that begins with a dash');
  return { clone: text, shown: text };
}

/** git's words without what `shown` leaves out. */
export function withoutCredentials(text: string, { clone, shown }: RepositoryAddress): string {
  return text.replaceAll(clone, shown).replaceAll(/\/\/[^/\s'"]*@/g, '//');
}
