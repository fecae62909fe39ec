import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { notFound, ServiceError } from '../contract/errors.js';
import { urlPath } from '../contract/paths.js';
import { listFiles } from '../platform/files.js';
import type { ResultStorage, StoredFile } from './contract.js';
import { safeParts } from './paths.js';
import type { UrlSigner } from './signed-url.js';

const baseUri = 'local://results';
const unfinishedPrefix = '.upload-';

export interface LocalFile {
  file: string;
  bytes: number;
}

/** Stores results below `root`, e.g. `TEST/7/9/sites.svg`. Checks keys and follows no link, so that none leads out. */
export class LocalStorage implements ResultStorage {
  readonly scheme = 'LOCAL';
  readonly baseUri = baseUri;

  constructor(
    private readonly root: string,
    private readonly signer: UrlSigner,
  ) {}

  async list(location: string): Promise<StoredFile[]> {
    const directory = await this.findDirectory(safeParts(toKey(location))).catch(() => undefined);
    const files = directory === undefined ? [] : await listFiles(directory, unfinishedPrefix);
    return files.map(({ relativePath, bytes }) => ({ relativePath, bytes }));
  }

  async downloadUrl(location: string, relativePath: string, expirySeconds: number, apiUrl: string): Promise<string> {
    const key = `${toKey(location)}/${relativePath}`;
    return `${apiUrl}/api/jobs/files/${this.signer.sign('GET', key, expirySeconds)}/${urlPath(key)}`;
  }

  uploadUrlPrefix(location: string, expiresAt: Date, apiUrl: string): string {
    const key = `${toKey(location)}/`;
    return `${apiUrl}/api/jobs/files/${this.signer.signUntil('PUT', key, expiresAt)}/${urlPath(key)}`;
  }

  async uploadUrl(location: string, relativePath: string, expiresAt: Date, apiUrl: string): Promise<string> {
    return `${this.uploadUrlPrefix(location, expiresAt, apiUrl)}${urlPath(relativePath)}`;
  }

  /** Stores the stream's bytes under a key, whole or not at all, and returns their number. */
  async write(key: string, content: Readable, maxBytes: number): Promise<number> {
    const { parts, name } = splitKey(key);
    const directory = await this.createDirectories(parts);
    const target = path.join(directory, name);
    if ((await lstat(target).catch(() => undefined))?.isDirectory())
      throw new ServiceError('invalid', 'Invalid file path: a directory has this name');
    const temporary = path.join(directory, `${unfinishedPrefix}${randomUUID()}`);
    try {
      const bytes = await writeSynced(temporary, content, maxBytes);
      await rename(temporary, target);
      return bytes;
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  /** Finds the file of a key. Throws `not_found` for a directory or a link. */
  async read(key: string): Promise<LocalFile> {
    const { parts, name } = splitKey(key);
    const file = path.join(await this.findDirectory(parts), name);
    const stats = await lstat(file).catch(() => undefined);
    if (!stats?.isFile()) throw notFound('File');
    return { file, bytes: stats.size };
  }

  private async findDirectory(parts: readonly string[]): Promise<string> {
    let directory = this.root;
    for (const part of parts) {
      directory = path.join(directory, part);
      if (!(await isRealDirectory(directory))) throw notFound('File');
    }
    return directory;
  }

  private async createDirectories(parts: readonly string[]): Promise<string> {
    let directory = this.root;
    await mkdir(directory, { recursive: true });
    for (const part of parts) {
      directory = path.join(directory, part);
      await mkdir(directory).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
      if (!(await isRealDirectory(directory)))
        throw new ServiceError('invalid', 'Invalid file path: a file has the name of a directory');
    }
    return directory;
  }
}

/** Returns the key of a location: `local://results/TEST/7/9` → `TEST/7/9`. */
function toKey(location: string): string {
  if (!location.startsWith(`${baseUri}/`)) throw new Error(`not a local location: ${location}`);
  return location.slice(baseUri.length + 1);
}

function splitKey(key: string): { parts: string[]; name: string } {
  const parts = safeParts(key);
  return { name: parts.pop() ?? '', parts };
}

/** Returns false for a symbolic link to a directory. */
const isRealDirectory = async (directory: string): Promise<boolean> =>
  (await lstat(directory).catch(() => undefined))?.isDirectory() ?? false;

/** Writes a new file and flushes it to the disk. Throws `too_large` beyond `maxBytes`. */
async function writeSynced(file: string, content: Readable, maxBytes: number): Promise<number> {
  let bytes = 0;
  async function* bounded(source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new ServiceError('too_large', `A file may have at most ${maxBytes} bytes`);
      yield chunk;
    }
  }
  await pipeline(content, bounded, createWriteStream(file, { flags: 'wx', mode: 0o640 }));
  const handle = await open(file, 'r');
  await handle.sync().finally(() => handle.close());
  return bytes;
}
