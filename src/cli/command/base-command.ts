import { Command, Errors, Flags, type Interfaces } from '@oclif/core';
import type { Api } from '../../client/api.js';
import { SetupError } from '../../contract/errors.js';
import { explain } from '../output/errors.js';

/** What every command shares: errors in one or two lines, and exit codes 0 done, 1 failed, 2 wrong usage. */
export abstract class BaseCommand extends Command {
  override async catch(error: Interfaces.CommandError): Promise<void> {
    if (error instanceof Errors.ExitError) throw error;
    const { lines, exitCode } = explain(error);
    if (process.env.DEBUG) this.logToStderr(error.stack ?? String(error));
    if (this.jsonEnabled()) this.logJson({ error: { message: lines.join(' ').replace(/^Error: /, '') } });
    else for (const line of lines) this.logToStderr(line);
    this.exit(exitCode);
  }

  /** Goes on after a yes. Without a terminal to ask on it fails with `situation` and names the flag that answers. */
  protected async confirm(question: string, situation: string, flag: string): Promise<void> {
    if (!process.stdin.isTTY) throw new SetupError(situation, { hint: `Without a terminal to ask on, say ${flag}.` });
    const { confirm } = await import('@inquirer/prompts');
    const yes = await confirm({ message: question, default: false }, { output: process.stderr });
    if (!yes) throw new SetupError('Nothing was changed');
  }

  /** Prints for a person who waits; never mixed with data. */
  protected tell(line: string): void {
    this.logToStderr(line);
  }
}

/** A command that talks to the API. */
export abstract class ClientCommand extends BaseCommand {
  static override baseFlags = {
    api: Flags.string({
      description: 'Address of the API (default: REEFGUIDE_API, the running local system, the saved profile)',
      helpGroup: 'GLOBAL',
    }),
  };

  /** The API that the flags, the environment, the local system or the saved profile name, with its credentials. */
  protected async connect(flags: { api?: string | undefined }): Promise<Api> {
    const { findApi } = await import('../api/find-api.js');
    return findApi({ flag: flags.api, env: process.env, profileFolder: this.config.configDir });
  }
}
