import { text } from 'node:stream/consumers';
import { Flags } from '@oclif/core';
import { findApi } from '../cli/api/find-api.js';
import { saveProfile } from '../cli/api/profile.js';
import { ClientCommand } from '../cli/command/client-command.js';
import { createApi } from '../client/api.js';
import { SetupError } from '../contract/errors.js';

export default class Login extends ClientCommand {
  static override description = 'Log in and save a profile (mode 0600) for later commands. The password is not saved.';
  static override examples = [
    'reefguide login --api https://api.example.org --email you@example.org',
    'printf %s "$PASSWORD" | reefguide login --email you@example.org --password-stdin',
  ];
  static override enableJsonFlag = false;
  static override flags = {
    email: Flags.string({ description: 'E-mail address of the account' }),
    'password-stdin': Flags.boolean({ description: 'Read the password from standard input' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Login);
    const location = await findApi({ flag: flags.api, env: process.env, profileDirectory: this.config.configDir });
    if (!location) throw new SetupError('No API to log in to', { hint: 'Name an API with --api.' });
    const { email, password } = await readAccount(flags.email, flags['password-stdin']);
    const api = createApi({ baseUrl: location.baseUrl, credentials: { kind: 'none' } });
    const { refreshToken } = await api.login(email, password);
    await saveProfile(this.config.configDir, { api: api.baseUrl, email, refreshToken });
    this.log(`Logged in to ${api.baseUrl} as ${email}`);
  }
}

/** Reads the password from standard input, or asks on the terminal for the missing parts. */
async function readAccount(email: string | undefined, hasPasswordOnStdin: boolean) {
  const readPassword = async () => (await text(process.stdin)).replace(/\r?\n$/, '');
  if (email && hasPasswordOnStdin) return { email, password: await readPassword() };
  if (!process.stdin.isTTY)
    throw new SetupError('Cannot ask for the account without a terminal', {
      hint: 'Give --email and --password-stdin.',
    });
  const { input, password } = await import('@inquirer/prompts');
  const context = { output: process.stderr };
  return {
    email: email ?? (await input({ message: 'E-mail' }, context)),
    password: hasPasswordOnStdin ? await readPassword() : await password({ message: 'Password', mask: true }, context),
  };
}
