import { Args, Errors } from '@oclif/core';

/** A job's id. */
export const jobId = Args.custom<number>({
  description: 'Id of the job',
  parse: async (text) => {
    if (!/^[1-9]\d{0,9}$/.test(text))
      throw new Errors.CLIError(`${text} is no job id: expected a positive whole number`, { exit: 2 });
    return Number(text);
  },
});

/** How many tasks a service runs. oclif's own whole numbers end with exit code 1 where they are arguments. */
export const taskCount = Args.custom<number>({
  description: 'Tasks that should run',
  parse: async (text) => {
    if (!/^([0-9]|10)$/.test(text))
      throw new Errors.CLIError(`${text} is no number of tasks: expected 0 to 10`, { exit: 2 });
    return Number(text);
  },
});
