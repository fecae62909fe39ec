import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { lstat, mkdir, open, opendir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { notFound, ServiceError } from '../contract/errors.js';
import { urlPath } from '../contract/paths.js';
import type { ResultStorage, StoredFile } from './contract.js';
import { safeParts } from './paths.js';
import type { UrlSigner } from './signed-url.js';

const baseUri = 'local://results';

export interface LocalFile {
  /** Absolute path. */
  file: string;
  bytes: number;
}

export interface LocalStorage extends ResultStorage {
  /** Stores the stream's bytes under a key, whole or not at all. */
  write(key: string, content: Readable, maxBytes: number): Promise<number>;
  read(key: string): Promise<LocalFile>;
}

/** Files below `root`. Nothing leads out of it: keys are confined, and no symbolic link is followed. */
export function createLocalStorage(root: string, signer: UrlSigner): LocalStorage {
  const keyOf = (location: string) => {
    if (!location.startsWith(`${baseUri}/`)) throw new Error(`not a local location: ${location}`);
    return location.slice(baseUri.length + 1);
  };

  /** Goes down the folders of a key one by one, and refuses any that is not a real folder. */
  const folderOf = async (parts: string[], make: boolean): Promise<string> => {
    let folder = root;
    await mkdir(root, { recursive: true });
    for (const part of parts) {
      folder = path.join(folder, part);
      if (make) {
        await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
        });
      }
      const stats = await lstat(folder).catch(() => undefined);
      if (!stats?.isDirectory())
        throw make ? new ServiceError('invalid', 'A file stands where a folder is wanted') : notFound('File');
    }
    return folder;
  };

  return {
    scheme: 'LOCAL',
    baseUri,
    async list(location) {
      const files: StoredFile[] = [];
      const walk = async (folder: string, prefix: string) => {
        for await (const entry of await opendir(folder)) {
          const relativePath = `${prefix}${entry.name}`;
          if (entry.isDirectory()) await walk(path.join(folder, entry.name), `${relativePath}/`);
          else if (entry.isFile() && !entry.name.startsWith(unfinished)) {
            files.push({ relativePath, bytes: (await lstat(path.join(folder, entry.name))).size });
          }
        }
      };
      const folder = await folderOf(safeParts(keyOf(location)), false).catch(() => undefined);
      if (folder !== undefined) await walk(folder, '');
      return files.sort((a, b) => (a.relativePath < b.relativePath ? -1 : 1));
    },
    async downloadUrl(location, relativePath, expirySeconds, apiUrl) {
      const key = `${keyOf(location)}/${relativePath}`;
      return `${apiUrl}/api/jobs/files/${signer.sign('GET', key, expirySeconds)}/${urlPath(key)}`;
    },
    uploadUrlPrefix(location, expiresAt, apiUrl) {
      const key = `${keyOf(location)}/`;
      return `${apiUrl}/api/jobs/files/${signer.signUntil('PUT', key, expiresAt)}/${urlPath(key)}`;
    },
    async uploadUrl(location, relativePath, expiresAt, apiUrl) {
      return `${this.uploadUrlPrefix(location, expiresAt, apiUrl)}${urlPath(relativePath)}`;
    },
    async write(key, content, maxBytes) {
      const parts = safeParts(key);
      const name = parts.pop() ?? '';
      const folder = await folderOf(parts, true);
      const target = path.join(folder, name);
      if ((await lstat(target).catch(() => undefined))?.isDirectory()) {
        throw new ServiceError('invalid', 'A folder stands where a file is wanted');
      }
      const temporary = path.join(folder, `${unfinished}${randomUUID()}`);
      let bytes = 0;
      try {
        await pipeline(
          content,
          async function* bounded(source: AsyncIterable<Buffer>) {
            for await (const chunk of source) {
              bytes += chunk.length;
              if (bytes > maxBytes) throw new ServiceError('too_large', `A file may have at most ${maxBytes} bytes`);
              yield chunk;
            }
          },
          createWriteStream(temporary, { flags: 'wx', mode: 0o640 }),
        );
        const handle = await open(temporary, 'r');
        await handle.sync().finally(() => handle.close());
        await rename(temporary, target);
        return bytes;
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
    async read(key) {
      const parts = safeParts(key);
      const name = parts.pop() ?? '';
      const file = path.join(await folderOf(parts, false), name);
      const stats = await lstat(file).catch(() => undefined);
      if (!stats?.isFile()) throw notFound('File');
      return { file, bytes: stats.size };
    },
  };
}

/** Names of uploads under way begin with it. */
const unfinished = '.upload-';
