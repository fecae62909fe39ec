import { variableName } from '../../contract/secrets.js';
import { parseDurationFlag, usageError } from '../command/arguments.js';

/** Parses `--env` pairs: `NAME=value`, or `NAME` for the value in `local`. Errors show no values, to keep secrets. */
export function parseEnvPairs(pairs: readonly string[], local: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => parseEnvPair(pair, local)));
}

function parseEnvPair(pair: string, local: NodeJS.ProcessEnv): [name: string, value: string] {
  const [, name = '', value = local[name]] = /^([^=]*)(?:=([\s\S]*))?$/.exec(pair) ?? [];
  if (!variableName.safeParse(name).success)
    throw usageError(`Invalid --env "${name}": expected the name of an environment variable, as in --env NAME=value`);
  if (value === undefined)
    throw usageError(`Invalid --env "${name}": the variable is not set here; give a value with --env ${name}=…`);
  return [name, value];
}

/** Returns the whole seconds of `--timeout`, rounded up: `10m` → 600. */
export const parseTimeoutFlag = (text: string): number => Math.ceil(parseDurationFlag('--timeout', text) / 1000);
