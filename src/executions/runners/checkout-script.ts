import type { GitCheckout } from './runner.js';

/**
 * Checks a repository out into `$CHECKOUT_FOLDER/repo`, shallow where the server lets one fetch the ref alone (a commit it may
 * not). Runs under any POSIX sh with git. Without a repository there is nothing to do.
 */
export const gitScript = `
exec 2>&1
[ -n "$CHECKOUT_REPO" ] || exit 0
fail() { echo "[reefguide] $1"; exit 128; }
mkdir -p "$CHECKOUT_FOLDER/repo" && cd "$CHECKOUT_FOLDER/repo" || fail "cannot make a folder for the checkout"
git init -q . && git remote add origin "$CHECKOUT_REPO" || fail "git does not work here"
ref="\${CHECKOUT_REF:-HEAD}"
if git fetch -q --depth 1 origin "$ref" 2>/dev/null; then
  git checkout -q --detach FETCH_HEAD || fail "cannot check out $ref"
else
  git fetch -q --tags origin '+refs/heads/*:refs/remotes/origin/*' || fail "cannot fetch $CHECKOUT_REPO: is the address right, and is a token needed?"
  git checkout -q --detach "$ref" 2>/dev/null || git checkout -q --detach "origin/$ref" 2>/dev/null ||
    fail "there is no branch, tag or commit $ref in $CHECKOUT_REPO"
fi
[ -z "$CHECKOUT_PATH" ] || [ -d "$CHECKOUT_PATH" ] || fail "there is no folder $CHECKOUT_PATH in $CHECKOUT_REPO at $ref"
chmod -R a+rwX . 2>/dev/null || true
`;

/**
 * The script's variables. The token goes to the repository's host alone, in a variable that nothing else reads. git would take
 * it along to wherever that host redirects, so with a token redirects are not followed.
 */
export function gitEnvironment(git: GitCheckout | undefined, folder: string): Record<string, string> {
  if (!git) return {};
  const origin = /^https?:/.test(git.repo) ? new URL(git.repo).origin : undefined;
  return {
    CHECKOUT_REPO: git.repo,
    CHECKOUT_REF: git.ref ?? '',
    CHECKOUT_PATH: git.path ?? '',
    CHECKOUT_FOLDER: folder,
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...(git.token !== undefined && origin !== undefined
      ? {
          GIT_CONFIG_COUNT: '2',
          GIT_CONFIG_KEY_0: `http.${origin}/.extraHeader`,
          GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`${git.user ?? 'x-access-token'}:${git.token}`).toString('base64')}`,
          GIT_CONFIG_KEY_1: 'http.followRedirects',
          GIT_CONFIG_VALUE_1: 'false',
        }
      : {}),
  };
}
