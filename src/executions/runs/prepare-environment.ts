import type { RunBody } from '../../contract/executions.js';
import { invalidField } from '../images/images.js';
import { looksSecret, mask, type Redactor } from '../logs/redact.js';
import { parseGitAddress } from '../runners/git-address.js';
import type { SecretValue } from '../secrets/secrets.js';

/**
 * Returns the variables and the checkout of a command, and the values to hide from log and API: secrets, variables with
 * secret names, the token of the checkout. Throws when the request or another secret sets the variable of a secret,
 * too.
 */
export function prepareEnvironment(body: RunBody, secrets: readonly SecretValue[]) {
  const env: Record<string, string> = { ...body.env };
  const found = Object.entries(env).flatMap(([name, value]) => (looksSecret(name) ? [value] : []));
  for (const { key_name, value } of secrets) {
    if (env[key_name] !== undefined) throw invalidField('secrets', `the variable ${key_name} is set twice`);
    env[key_name] = value;
    found.push(value);
  }
  const address = body.git_repo === undefined ? undefined : parseGitAddress(body.git_repo, env);
  if (address?.token !== undefined) found.push(address.token);
  return {
    env,
    git: address && { ...address, ref: body.git_ref, path: body.git_path },
    secretValues: [...new Set(found)].filter((value) => value !== ''),
  };
}

/** Returns variables as the API shows them: `{ API_KEY: 'x1', MODE: 'fast' }` → `{ API_KEY: '***', MODE: 'fast' }`. */
export function redactEnvironment(env: Readonly<Record<string, string>>, redactor: Redactor): Record<string, string> {
  const redact = (name: string, value: string) => (looksSecret(name) ? mask : redactor.redact(value));
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, redact(name, value)]));
}
