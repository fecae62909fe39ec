import { readFile } from 'node:fs/promises';
import { type LocalWorkerGroup, parseWorkersFile, workersFileError } from '../../capacity/manager/workers-file.js';

/** Reads the worker groups of a workers file. Throws a SetupError with the file and the reason. */
export async function readWorkersFile(file: string): Promise<LocalWorkerGroup[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw workersFileError(file, error.code === 'ENOENT' ? 'there is no such file' : error.message);
  });
  return parseWorkersFile(file, text);
}
