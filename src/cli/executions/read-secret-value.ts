import { text } from 'node:stream/consumers';
import { SetupError } from '../../contract/errors.js';

/** Reads a secret's value from standard input or a prompt, because arguments show in the process list and history. */
export async function readSecretValue(): Promise<string> {
  if (process.stdin.isTTY) {
    const { password } = await import('@inquirer/prompts');
    return password({ message: 'Value', mask: true }, { output: process.stderr });
  }
  const value = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (value === '')
    throw new SetupError('Invalid secret value: standard input is empty', {
      hint: 'For example: printf %s "$VALUE" | reefguide secrets create NAME --key-name VARIABLE',
    });
  return value;
}
