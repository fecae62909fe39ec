import type { GitCheckout } from './runner.js';

/** Variables with the token of a checkout; the first with a value counts. */
const tokenVariables = ['GIT_TOKEN', 'GITHUB_TOKEN', 'GITLAB_TOKEN'];
/** Shortest user name without a password to count as token: `github_pat_…@host` has a token, `git@host` none. */
const minTokenCharacters = 16;

type GitAddress = Pick<GitCheckout, 'repo' | 'user' | 'token'>;

/** Splits `https://me:t0ken@host/x.git` into `https://host/x.git`, `me`, `t0ken`. Else takes the token from `env`. */
export function parseGitAddress(repo: string, env: Readonly<Record<string, string>>): GitAddress {
  if (!/^https?:/.test(repo)) return { repo, user: undefined, token: undefined };
  const url = new URL(repo);
  const [user, password] = [decodePart(url.username), decodePart(url.password)];
  url.username = '';
  url.password = '';
  if (password) return { repo: url.href, user: user || undefined, token: password };
  const envToken = tokenVariables.map((name) => env[name]).find((value) => value !== undefined && value !== '');
  const token = user.length >= minTokenCharacters ? user : envToken;
  return { repo: url.href, user: undefined, token };
}

/** Decodes a part of a URL, or returns an invalid part unchanged: `50%25` → `50%`, `50%` → `50%`. */
function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
