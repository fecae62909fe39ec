import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { SetupError } from '../../contract/errors.js';

/** Address of a repository: `clone` is for git, `shown` is without credentials, for output and env.json. */
export interface RepositoryAddress {
  clone: string;
  shown: string;
}

const toError = (problem: string) =>
  new SetupError(`Invalid address of the repository: ${problem}`, {
    hint: 'Pass an https:// or ssh:// address, git@host:path, or the path of a repository on this machine.',
  });

/**
 * Parses the value of `--target`, for example `git@github.com:team/configuration.git`. A local path is relative to `cwd`.
 * Rejects options, unencrypted transports, and transports that run programs (`ext::sh -c …`). No error repeats the address,
 * because an address may contain a password.
 */
export function parseRepositoryAddress(text: string, cwd: string): RepositoryAddress {
  if (text.trim() === '') throw toError('the address is empty');
  if (text.startsWith('-')) throw toError('the address begins with a dash');
  if (/\p{Cc}/u.test(text)) throw toError('the address contains a control character');
  if (/^[^/]*::/.test(text)) throw toError('a transport helper of git could run any program');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return fromUrl(text);
  // Git, too, takes a colon before the first slash for the end of a host.
  if (/^[^/]*:/.test(text)) return fromHostAndPath(text);
  // Turns the path into a URL, because git ignores --depth for a plain path.
  return { clone: pathToFileURL(path.resolve(cwd, text)).href, shown: text };
}

function fromUrl(text: string): RepositoryAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw toError('expected a URL');
  }
  if (!['https:', 'ssh:', 'file:'].includes(url.protocol)) {
    throw toError(`expected https://, ssh:// or file://, received ${url.protocol}//`);
  }
  if (url.hostname.startsWith('-')) throw toError('the host begins with a dash');
  if (url.protocol === 'file:') return { clone: text, shown: text };
  // Keeps the user of ssh (`git@`), but not of https, where the user may be a token.
  if (url.protocol === 'https:') url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  return { clone: text, shown: url.href };
}

function fromHostAndPath(text: string): RepositoryAddress {
  if (/^[^/:]*:[^/]*@/.test(text)) throw toError('the path contains a password');
  if (/^(?:[^@:/]*@)?-/.test(text)) throw toError('the host begins with a dash');
  return { clone: text, shown: text };
}

/** Removes credentials from the output of git, for example `https://user:secret@host/a` → `https://host/a`. */
export function removeCredentials(text: string, { clone, shown }: RepositoryAddress): string {
  return text.replaceAll(clone, shown).replaceAll(/\/\/[^/\s'"]*@/g, '//');
}
