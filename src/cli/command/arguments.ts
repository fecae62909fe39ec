import { Args, Errors } from '@oclif/core';

/** Ends a command with exit code 2. */
export const wrongUsage = (message: string): Errors.CLIError => new Errors.CLIError(message, { exit: 2 });

/** A job's id. */
export const jobId = Args.custom<number>({
  description: 'Id of the job',
  parse: async (text) => {
    if (!/^[1-9]\d{0,9}$/.test(text)) throw wrongUsage(`${text} is no job id: expected a positive whole number`);
    return Number(text);
  },
});

/** How many tasks a service runs. oclif's own whole numbers end with exit code 1 where they are arguments. */
export const taskCount = Args.custom<number>({
  description: 'Tasks that should run',
  parse: async (text) => {
    if (!/^([0-9]|10)$/.test(text)) throw wrongUsage(`${text} is no number of tasks: expected 0 to 10`);
    return Number(text);
  },
});

/** An execution's id. */
export const executionId = Args.custom<string>({
  description: 'Id of the execution',
  parse: async (text) => {
    if (!/^[0-9a-f]{32}$/.test(text)) throw wrongUsage(`${text} is no execution id: expected 32 hexadecimal digits`);
    return text;
  },
});
