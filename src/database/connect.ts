import { SetupError } from '../contract/errors.js';
import { sqlState } from './errors.js';

/** A database that is ready to be used, and how to give it back. */
export interface DatabaseAddress {
  url: string;
  /** For migrations and LISTEN: past a pooler, when there is one. */
  directUrl: string;
  embedded: boolean;
  release(): Promise<void>;
}

/** The given database, or the embedded Postgres of `home`, started if it does not run. */
export async function findDatabase(
  given: { DATABASE_URL?: string | undefined; DIRECT_URL?: string | undefined },
  home: string,
  log?: (line: string) => void,
): Promise<DatabaseAddress> {
  if (given.DATABASE_URL) {
    return {
      url: given.DATABASE_URL,
      directUrl: given.DIRECT_URL ?? given.DATABASE_URL,
      embedded: false,
      release: async () => {},
    };
  }
  const { superviseEmbeddedPostgres } = await import('./embedded/supervise.js');
  const postgres = await superviseEmbeddedPostgres(log ? { home, log } : { home });
  return { url: postgres.url, directUrl: postgres.url, embedded: true, release: () => postgres.release() };
}

/** Host, port and database of a URL, without user and password. */
export function describeUrl(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname}:${port || 5432}${pathname}`;
  } catch {
    return 'the given address';
  }
}

/** What a person reads when the database could not be used. Never shows the URL's password. */
export function databaseError(url: string, cause: unknown): Error {
  const where = describeUrl(url);
  const fail = (message: string, hint: string) => new SetupError(message, { hint, cause });
  const state = sqlState(cause);
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (state === '28P01' || state === '28000') {
    return fail(`The database at ${where} refuses the user or the password`, 'Check DATABASE_URL.');
  }
  if (state === '3D000')
    return fail(`There is no such database at ${where}`, 'Create it, or check the name in DATABASE_URL.');
  if (state === '42501')
    return fail(
      `The database at ${where} does not allow this user to make tables`,
      'Grant CREATE on schema public, or set DIRECT_URL.',
    );
  if (
    code === 'ECONNREFUSED' ||
    code === 'ENOTFOUND' ||
    code === 'ETIMEDOUT' ||
    code === 'EAI_AGAIN' ||
    cause instanceof AggregateError
  ) {
    return fail(`The database at ${where} does not answer`, 'Start it, or check host and port in DATABASE_URL.');
  }
  return cause instanceof Error ? cause : new Error(String(cause));
}

/** Whether the database runs on this machine, as far as its address says. */
export function isOnThisMachine(url: string): boolean {
  try {
    const { hostname, searchParams } = new URL(url);
    const host = searchParams.get('host') ?? hostname;
    return host === '' || host.startsWith('/') || /^(localhost|127(\.\d+){3}|\[?::1\]?)$/.test(host);
  } catch {
    return false;
  }
}
