import { variableName } from '../../contract/secrets.js';
import { wrongUsage } from '../command/arguments.js';

/** `--env NAME=value`, or `--env NAME` for the value of this shell; the last of a name counts. */
export function parseEnvPairs(pairs: readonly string[], local: NodeJS.ProcessEnv): Record<string, string> {
  const read = (pair: string): [string, string] => {
    const equals = pair.indexOf('=');
    const name = equals === -1 ? pair : pair.slice(0, equals);
    if (!variableName.safeParse(name).success) {
      throw wrongUsage(`--env ${name}: expected the name of an environment variable, as in --env NAME=value`);
    }
    if (equals !== -1) return [name, pair.slice(equals + 1)];
    const value = local[name];
    if (value === undefined)
      throw wrongUsage(`--env ${name}: there is no such variable here; give its value with --env ${name}=…`);
    return [name, value];
  };
  return Object.fromEntries(pairs.map(read));
}
