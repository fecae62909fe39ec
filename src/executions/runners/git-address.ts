/** Variables in which a command may get a token, the first that is set. */
const tokenVariables = ['GIT_TOKEN', 'GITHUB_TOKEN', 'GITLAB_TOKEN'];
/** A user name without a password is a token when it is as long as one; `git@` is not. */
const shortestToken = 16;

export interface GitAddress {
  /** Without user and password. */
  repo: string;
  /** Who the token belongs to, if the address says so. */
  user: string | undefined;
  token: string | undefined;
}

/** A repository's address, and with which token to reach it: that of the address counts before that of a variable. */
export function parseGitAddress(repo: string, env: Readonly<Record<string, string>>): GitAddress {
  if (!/^https?:/.test(repo)) return { repo, user: undefined, token: undefined };
  const url = new URL(repo);
  const [user, password] = [decoded(url.username), decoded(url.password)];
  url.username = '';
  url.password = '';
  if (password) return { repo: url.href, user: user || undefined, token: password };
  const fromEnv = tokenVariables.map((name) => env[name]).find((value) => value !== undefined && value !== '');
  const token = user.length >= shortestToken ? user : fromEnv;
  return { repo: url.href, user: undefined, token };
}

/** A `%` that stands for itself is left as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
