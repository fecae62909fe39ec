import { Flags } from '@oclif/core';
import type { Api } from '../../client/api.js';
import { connectApi } from '../api/find-api.js';
import { BaseCommand } from './base-command.js';

/** Calls the API, and prints the answer as JSON with `--json`. */
export abstract class ClientCommand extends BaseCommand {
  static override enableJsonFlag = true;
  static override baseFlags = {
    api: Flags.string({
      description: 'Address of the API (default: REEFGUIDE_API, the running local system, the saved profile)',
      helpGroup: 'GLOBAL',
    }),
  };

  /** Returns a client of the API that the flags, the environment, the local system or the saved profile name. */
  protected async connect(flags: { api?: string | undefined }): Promise<Api> {
    return connectApi({ flag: flags.api, env: process.env, profileDirectory: this.config.configDir });
  }
}
