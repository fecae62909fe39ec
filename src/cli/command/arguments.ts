import { Args, Errors } from '@oclif/core';
import { parseDuration } from '../../platform/duration.js';

/** Creates the error that ends a command with exit code 2. */
export const usageError = (message: string): Errors.CLIError => new Errors.CLIError(message, { exit: 2 });

export const jobId = Args.custom<number>({
  description: 'Id of the job',
  parse: async (text) => {
    if (!/^[1-9]\d{0,9}$/.test(text)) throw usageError(`Invalid job id "${text}": expected a positive whole number`);
    return Number(text);
  },
});

/** Parses a number of tasks. oclif's own integers end with exit code 1 as arguments. */
export const taskCount = Args.custom<number>({
  description: 'Number of tasks to run',
  parse: async (text) => {
    if (!/^([0-9]|10)$/.test(text)) throw usageError(`Invalid number of tasks "${text}": expected 0 to 10`);
    return Number(text);
  },
});

export const executionId = Args.custom<string>({
  description: 'Id of the execution',
  parse: async (text) => {
    if (!/^[0-9a-f]{32}$/.test(text))
      throw usageError(`Invalid execution id "${text}": expected 32 hexadecimal digits`);
    return text;
  },
});

/** Returns the milliseconds of a duration flag, e.g. `10m` → 600000, or `0`. Throws a usage error for other text. */
export function parseDurationFlag(flag: string, text: string): number {
  const ms = text === '0' ? 0 : parseDuration(text);
  if (ms === undefined) throw usageError(`Invalid ${flag} "${text}": expected a duration, for example 90s or 10m`);
  return ms;
}
