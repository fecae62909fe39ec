import { SetupError } from '../contract/errors.js';
import { errorCode } from '../platform/system-errors.js';
import { sqlState } from './errors.js';

/** Addresses of a running database, valid until `release`. */
export interface DatabaseAddress {
  url: string;
  /** Bypasses a connection pooler, for migrations and LISTEN. */
  directUrl: string;
  embedded: boolean;
  release(): Promise<void>;
}

/** Returns the database of DATABASE_URL; when unset the embedded Postgres of `home`, started when necessary. */
export async function findDatabase(
  environment: { DATABASE_URL?: string | undefined; DIRECT_URL?: string | undefined },
  home: string,
  log?: (line: string) => void,
): Promise<DatabaseAddress> {
  const { DATABASE_URL: url, DIRECT_URL: directUrl } = environment;
  if (url) return { url, directUrl: directUrl ?? url, embedded: false, release: async () => {} };
  const { superviseEmbeddedPostgres } = await import('./embedded/supervise.js');
  const postgres = await superviseEmbeddedPostgres(log ? { home, log } : { home });
  return { url: postgres.url, directUrl: postgres.url, embedded: true, release: () => postgres.release() };
}

/** Removes user and password, e.g. `postgresql://me:secret@db.example.org/reef` → `db.example.org:5432/reef`. */
export function describeUrl(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname}:${port || 5432}${pathname}`;
  } catch {
    return 'the given address';
  }
}

const unreachableCodes = ['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT', 'EAI_AGAIN'];

/** Explains why the database could not be used, and never shows the password. Returns an unknown error unchanged. */
export function toDatabaseError(url: string, cause: unknown): Error {
  const address = describeUrl(url);
  const explain = (message: string, hint: string) => new SetupError(message, { hint, cause });
  switch (sqlState(cause)) {
    case '28P01':
    case '28000':
      return explain(`The database at ${address} refuses the user or the password`, 'Check DATABASE_URL.');
    case '3D000':
      return explain(`There is no such database at ${address}`, 'Create it, or check the name in DATABASE_URL.');
    case '42501':
      return explain(
        `The database at ${address} does not allow this user to create tables`,
        'Grant CREATE on schema public, or set DIRECT_URL.',
      );
  }
  // Node.js throws an AggregateError when each address of the host refuses the connection.
  if (cause instanceof AggregateError || unreachableCodes.includes(errorCode(cause) ?? '')) {
    return explain(`The database at ${address} does not answer`, 'Start it, or check host and port in DATABASE_URL.');
  }
  return cause instanceof Error ? cause : new Error(String(cause));
}

/** Returns whether the URL names this machine, for example `localhost`, `127.0.0.1` or a Unix socket (`?host=/tmp`). */
export function isLocalUrl(url: string): boolean {
  try {
    const { hostname, searchParams } = new URL(url);
    const host = searchParams.get('host') ?? hostname;
    return host === '' || host.startsWith('/') || /^(localhost|127(\.\d+){3}|\[?::1\]?)$/.test(host);
  } catch {
    return false;
  }
}
