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
