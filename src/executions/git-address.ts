/** Variables in which a command may get a token, the first that is set. */
const tokenVariables = ['GIT_TOKEN', 'GITHUB_TOKEN', 'GITLAB_TOKEN'];

/** A repository's address without user and password, and the token to reach it with. */
export function gitAddress(
  repo: string,
  env: Readonly<Record<string, string>>,
): { repo: string; token: string | undefined } {
  const fromEnv = tokenVariables.map((name) => env[name]).find((value) => value !== undefined && value !== '');
  if (!/^https?:/.test(repo) || !URL.canParse(repo)) return { repo, token: undefined };
  const url = new URL(repo);
  const given = decodeURIComponent(url.password) || decodeURIComponent(url.username);
  url.username = '';
  url.password = '';
  return { repo: url.href, token: given || fromEnv };
}
