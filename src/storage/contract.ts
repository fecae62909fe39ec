import type { StorageScheme } from '../contract/jobs.js';

export interface StoredFile {
  /** Relative to the assignment's location, with `/` between parts. */
  relativePath: string;
  bytes: number;
}

/** Where results live. A location is an assignment's `storage_uri`. */
export interface ResultStorage {
  readonly scheme: StorageScheme;
  /** Locations are made below it: `<baseUri>/TYPE/job/assignment`. */
  readonly baseUri: string;
  list(location: string): Promise<StoredFile[]>;
  /** A URL that serves the file for `expirySeconds`. `apiUrl` is where this API is reached. */
  downloadUrl(location: string, relativePath: string, expirySeconds: number, apiUrl: string): Promise<string>;
  /** A URL to which the file may be PUT until `expiresAt`, without credentials. */
  uploadUrl(location: string, relativePath: string, expiresAt: Date, apiUrl: string): Promise<string>;
  /** Where a worker may PUT files until `expiresAt`, for storage that takes uploads through the API. */
  uploadUrlPrefix(location: string, expiresAt: Date, apiUrl: string): string | undefined;
}

/** The storage of a scheme: a deployment writes to one and may still read what another holds. */
export interface Storages {
  readonly current: ResultStorage;
  of(scheme: StorageScheme): ResultStorage;
}
