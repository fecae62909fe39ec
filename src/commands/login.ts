import { Flags } from '@oclif/core';
import { ClientCommand } from '../cli/command/base-command.js';
import { SetupError } from '../contract/errors.js';

export default class Login extends ClientCommand {
  static override description =
    'Log in and save a profile (mode 0600) that later commands use. The password is not saved.';
  static override examples = [
    '<%= config.bin %> login --api https://api.example.org --email you@example.org',
    'printf %s "$PASSWORD" | <%= config.bin %> login --email you@example.org --password-stdin',
  ];
  static override flags = {
    email: Flags.string({ description: 'Your address' }),
    'password-stdin': Flags.boolean({ description: 'Read the password from standard input' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Login);
    const [{ locateApi }, { createApi }, { saveProfile }, { text }] = await Promise.all([
      import('../cli/api/find-api.js'),
      import('../client/api.js'),
      import('../cli/api/profile.js'),
      import('node:stream/consumers'),
    ]);
    const found = await locateApi({ flag: flags.api, env: process.env, profileFolder: this.config.configDir });
    if (!found) throw new SetupError('No API to log in to', { hint: 'Name it with --api.' });
    if (!process.stdin.isTTY && !(flags.email && flags['password-stdin'])) {
      throw new SetupError('There is no terminal to ask on', { hint: 'Give --email and --password-stdin.' });
    }
    const prompts = flags.email && flags['password-stdin'] ? undefined : await import('@inquirer/prompts');
    const output = { output: process.stderr };
    const email = flags.email ?? (await prompts?.input({ message: 'E-mail' }, output)) ?? '';
    const password = flags['password-stdin']
      ? (await text(process.stdin)).replace(/\r?\n$/, '')
      : ((await prompts?.password({ message: 'Password', mask: true }, output)) ?? '');
    const api = createApi({ baseUrl: found.baseUrl, credentials: { kind: 'none' } });
    const { refreshToken } = await api.login(email, password);
    await saveProfile(this.config.configDir, { api: api.baseUrl, email, refreshToken });
    this.log(`Logged in to ${api.baseUrl} as ${email}`);
  }
}
