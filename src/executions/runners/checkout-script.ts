import type { GitCheckout } from './runner.js';

/**
 * Checks a repository out, in any POSIX shell, into `$CHECKOUT_FOLDER/repo`. Fetches the ref alone and without history
 * where the server allows (few do for a commit), else all branches and tags. Does nothing without `$CHECKOUT_REPO`.
 */
export const checkoutScript = `
exec 2>&1
[ -n "$CHECKOUT_REPO" ] || exit 0
fail() { echo "[reefguide] $1"; exit 128; }
mkdir -p "$CHECKOUT_FOLDER/repo" && cd "$CHECKOUT_FOLDER/repo" || fail "cannot create a directory for the checkout"
git init -q . && git remote add origin "$CHECKOUT_REPO" || fail "cannot run git"
ref="\${CHECKOUT_REF:-HEAD}"
if git fetch -q --depth 1 origin "$ref" 2>/dev/null; then
  git checkout -q --detach FETCH_HEAD || fail "cannot check out $ref"
else
  git fetch -q --tags origin '+refs/heads/*:refs/remotes/origin/*' || fail "cannot fetch $CHECKOUT_REPO: check the address, and whether a token is needed"
  git checkout -q --detach "$ref" 2>/dev/null || git checkout -q --detach "origin/$ref" 2>/dev/null ||
    fail "no branch, tag or commit $ref in $CHECKOUT_REPO"
fi
[ -z "$CHECKOUT_PATH" ] || [ -d "$CHECKOUT_PATH" ] || fail "no directory $CHECKOUT_PATH in $CHECKOUT_REPO at $ref"
chmod -R a+rwX . 2>/dev/null || true
`;

/**
 * Returns the variables of `checkoutScript`; `directory` receives the checkout. The token is a header for the
 * repository's host alone: with a token git follows no redirects, because git would send the header to the new host.
 */
export function toGitEnvironment(git: GitCheckout, directory: string): Record<string, string> {
  return {
    CHECKOUT_REPO: git.repo,
    CHECKOUT_REF: git.ref ?? '',
    CHECKOUT_PATH: git.path ?? '',
    CHECKOUT_FOLDER: directory,
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...toTokenEnvironment(git),
  };
}

function toTokenEnvironment({ repo, user = 'x-access-token', token }: GitCheckout): Record<string, string> {
  if (token === undefined || !/^https?:/.test(repo)) return {};
  return {
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: `http.${new URL(repo).origin}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`,
    GIT_CONFIG_KEY_1: 'http.followRedirects',
    GIT_CONFIG_VALUE_1: 'false',
  };
}
