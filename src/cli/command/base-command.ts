import { Command, Errors, type Interfaces } from '@oclif/core';
import { SetupError } from '../../contract/errors.js';
import { getColors } from '../output/colors.js';
import { explainError } from '../output/errors.js';

/** Prints an error in one or two lines and exits with 0 (done), 1 (failed) or 2 (wrong usage). */
export abstract class BaseCommand extends Command {
  override async catch(error: Interfaces.CommandError): Promise<void> {
    if (error instanceof Errors.ExitError) throw error;
    const { message, details, exitCode } = explainError(error);
    if (process.env.DEBUG) this.logToStderr(error.stack ?? String(error));
    if (this.jsonEnabled()) this.logJson({ error: { message: [message, ...details].join(' ') } });
    else {
      this.logToStderr(`${getColors(process.stderr).red.bold('Error:')} ${message}`);
      for (const line of details) this.logToStderr(line);
    }
    this.exit(exitCode);
  }

  /** Asks on the terminal and returns after a yes. Without a terminal, throws `situation` and names the flag to give. */
  protected async confirm(question: string, situation: string, flag: string): Promise<void> {
    if (!process.stdin.isTTY) throw new SetupError(situation, { hint: `Confirm with ${flag}.` });
    const { confirm } = await import('@inquirer/prompts');
    const isConfirmed = await confirm({ message: question, default: false }, { output: process.stderr });
    if (!isConfirmed) throw new SetupError('Nothing was changed');
  }

  /** Prints a line for the user on stderr, apart from the data on stdout. */
  protected readonly report = (line: string): void => this.logToStderr(line);
}
