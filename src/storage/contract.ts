import type { StorageScheme } from '../contract/jobs.js';

export interface StoredFile {
  /** Path below the assignment's location, for example `maps/sites.svg`. */
  relativePath: string;
  bytes: number;
}

/** Stores results. A location is an assignment's `storage_uri`, for example `s3://results/jobs/TEST/7/9`. */
export interface ResultStorage {
  readonly scheme: StorageScheme;
  /** Prefix of all locations: `<baseUri>/TYPE/job/assignment`. */
  readonly baseUri: string;
  list(location: string): Promise<StoredFile[]>;
  /** Returns a URL that serves the file for `expirySeconds`. `apiUrl` is the address of this API. */
  downloadUrl(location: string, relativePath: string, expirySeconds: number, apiUrl: string): Promise<string>;
  /** Returns a URL that takes a PUT of the file until `expiresAt`, without credentials. */
  uploadUrl(location: string, relativePath: string, expiresAt: Date, apiUrl: string): Promise<string>;
  /** Returns the prefix of URLs that take PUTs until `expiresAt`. Missing in storage without uploads through the API. */
  uploadUrlPrefix?(location: string, expiresAt: Date, apiUrl: string): string;
}

/** Storage by scheme: a deployment writes to `current`, and may still read results of another scheme. */
export interface Storages {
  readonly current: ResultStorage;
  of(scheme: StorageScheme): ResultStorage;
}
