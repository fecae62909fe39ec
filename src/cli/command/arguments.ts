import { Args, Errors } from '@oclif/core';
import { parseDuration } from '../../platform/duration.js';

/** Creates the error that ends a command with exit code 2. */
export const usageError = (message: string): Errors.CLIError => new Errors.CLIError(message, { exit: 2 });

/** Returns a parser that ends the command with exit code 2, unlike oclif's own integers, for a text off the pattern. */
function parseBy<T>(name: string, pattern: RegExp, expected: string, convert: (text: string) => T) {
  return async (text: string): Promise<T> => {
    if (!pattern.test(text)) throw usageError(`Invalid ${name} "${text}": expected ${expected}`);
    return convert(text);
  };
}

export const jobId = Args.custom<number>({
  description: 'Id of the job',
  parse: parseBy('job id', /^[1-9]\d{0,9}$/, 'a positive whole number', Number),
});

export const taskCount = Args.custom<number>({
  description: 'Number of tasks to run',
  parse: parseBy('number of tasks', /^([0-9]|10)$/, '0 to 10', Number),
});

export const executionId = Args.custom<string>({
  description: 'Id of the execution',
  parse: parseBy('execution id', /^[0-9a-f]{32}$/, '32 hexadecimal digits', String),
});

/** Returns the milliseconds of a duration flag, e.g. `10m` → 600000, or `0`. Throws a usage error for other text. */
export function parseDurationFlag(flag: string, text: string): number {
  const ms = text === '0' ? 0 : parseDuration(text);
  if (ms === undefined) throw usageError(`Invalid ${flag} "${text}": expected a duration, for example 90s or 10m`);
  return ms;
}
