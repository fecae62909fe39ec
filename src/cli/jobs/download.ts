import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream } from 'node:stream/web';
import { SetupError } from '../../contract/errors.js';
import { createDirectory } from '../../platform/files.js';
import { explainWriteErrors } from '../../platform/system-errors.js';

export interface DownloadedFile {
  path: string;
  bytes: number;
}

/** Downloads files, given as URLs by relative path. Throws for a path that leads out of `directory`, e.g. `../x`. */
export async function downloadFiles(
  files: Readonly<Record<string, string>>,
  directory: string,
  onFile: (file: DownloadedFile) => void,
): Promise<DownloadedFile[]> {
  const downloaded: DownloadedFile[] = [];
  const root = path.resolve(directory);
  for (const [relativePath, url] of Object.entries(files)) {
    const target = path.resolve(root, relativePath);
    if (!target.startsWith(root + path.sep))
      throw new SetupError(`Invalid file name "${relativePath}" from the server: expected a path inside ${directory}`);
    const response = await fetch(url);
    if (!response.ok || !response.body)
      throw new SetupError(`Cannot download ${relativePath}: the server answered ${response.status}`);
    const file = { path: path.join(directory, relativePath), bytes: await writeWhole(response.body, target) };
    downloaded.push(file);
    onFile(file);
  }
  return downloaded;
}

/** Streams `body` into a file and returns the number of bytes. Renames a `.part` file at the end, so that no file is partial. */
async function writeWhole(body: ReadableStream<Uint8Array>, target: string): Promise<number> {
  const directory = path.dirname(target);
  await explainWriteErrors(directory, () => createDirectory(directory));
  const partial = `${target}.part`;
  const writer = createWriteStream(partial);
  try {
    await pipeline(Readable.fromWeb(ReadableStream.from(body)), writer);
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return writer.bytesWritten;
}
