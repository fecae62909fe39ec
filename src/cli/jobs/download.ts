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

/** Downloads a result's files below `folder`, streaming; a name that would lead out of it is refused. */
export async function downloadFiles(
  files: Readonly<Record<string, string>>,
  folder: string,
  onFile: (file: DownloadedFile) => void,
): Promise<DownloadedFile[]> {
  const done: DownloadedFile[] = [];
  const root = path.resolve(folder);
  for (const [relativePath, url] of Object.entries(files)) {
    const target = path.resolve(root, relativePath);
    if (!target.startsWith(root + path.sep))
      throw new SetupError(`The server named a file outside of ${folder}: ${relativePath}`);
    const response = await fetch(url);
    if (!response.ok || !response.body)
      throw new SetupError(`The download of ${relativePath} was answered ${response.status}`);
    const directory = path.dirname(target);
    await explainWriteErrors(directory, () => createDirectory(directory));
    const unfinished = `${target}.part`;
    let bytes = 0;
    try {
      await pipeline(
        Readable.fromWeb(ReadableStream.from(response.body)),
        async function* count(chunks: AsyncIterable<Uint8Array>) {
          for await (const chunk of chunks) {
            bytes += chunk.length;
            yield chunk;
          }
        },
        createWriteStream(unfinished),
      );
      await rename(unfinished, target);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
    const file = { path: path.join(folder, relativePath), bytes };
    done.push(file);
    onFile(file);
  }
  return done;
}
