import { text } from 'node:stream/consumers';
import { SetupError } from '../../contract/errors.js';

/** A secret's value, from standard input or a prompt: an argument would show in the list of processes and in the history. */
export async function readSecretValue(): Promise<string> {
  if (process.stdin.isTTY) {
    const { password } = await import('@inquirer/prompts');
    return password({ message: 'Value', mask: true }, { output: process.stderr });
  }
  const value = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (value === '') {
    throw new SetupError('There is no value on standard input', {
      hint: 'For example: printf %s "$VALUE" | reefguide secrets create NAME --key-name VARIABLE',
    });
  }
  return value;
}
