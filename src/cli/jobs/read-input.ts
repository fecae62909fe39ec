import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { SetupError } from '../../contract/errors.js';

/** Parses a job's input: JSON, `@payload.json` for a file, or `-` for standard input. */
export async function readInput(input: string): Promise<unknown> {
  const { name, json } = await readSource(input);
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new SetupError(`Invalid JSON in ${name}: ${error instanceof Error ? error.message : ''}`, {
      hint: `Give for example --input '{"id": 1}' or --input @payload.json.`,
    });
  }
}

async function readSource(input: string): Promise<{ name: string; json: string }> {
  if (input === '-') return { name: 'standard input', json: await text(process.stdin) };
  if (!input.startsWith('@')) return { name: '--input', json: input };
  const name = input.slice(1);
  const json = await readFile(name, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new SetupError(`Cannot read ${name}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`);
  });
  return { name, json };
}
