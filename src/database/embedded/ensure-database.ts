import pg from 'pg';
import { diskFull, EmbeddedPostgresError, errorCode } from './errors.js';
import { poll } from './files.js';

const DATABASE = 'reefguide';
const WAIT_MS = 60_000;

export function connectionUrl(port: number, password: string, database = DATABASE): string {
  return `postgresql://postgres:${password}@127.0.0.1:${port}/${database}`;
}

async function tryQuery(url: string, sql: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: WAIT_MS });
  // A server that ends while the connection is being closed is no error of ours.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(sql);
    return undefined;
  } catch (error) {
    // What pg itself gives up on has no code: a server that ends in the middle of a login, say.
    return errorCode(error) ?? String(error);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Waits until the server answers, and makes the database when it is missing. 'ended': the server is gone. */
export async function ensureDatabase(
  port: number,
  password: string,
  where: { root: string; passwordFile: string },
  isRunning: () => boolean,
): Promise<'ready' | 'ended'> {
  let refusal: string | undefined;
  const done = await poll<'ready' | 'ended' | 'unusable'>(WAIT_MS, async () => {
    refusal = await tryQuery(connectionUrl(port, password), 'SELECT 1');
    if (refusal === '3D000') {
      refusal = await tryQuery(connectionUrl(port, password, 'postgres'), `CREATE DATABASE ${DATABASE}`);
    }
    // 53300, too many connections, comes after the password: the server is up, and its users have it full.
    // 42P04 and 23505: another process has just made the database.
    if (refusal === undefined || ['53300', '42P04', '23505'].includes(refusal)) return 'ready';
    if (refusal === '28P01') {
      throw new EmbeddedPostgresError(
        'password_mismatch',
        `Postgres on port ${port} does not accept the password in ${where.passwordFile}.`,
        'Put back the file that belongs to this database; or delete the home folder to start with an empty one.',
      );
    }
    if (refusal === '53100') throw diskFull(where.root, refusal);
    // 57P03: it is starting up, or recovers from the crash of a session. 57P01, 57P02: it is just ending sessions.
    const isTransient =
      /terminated|connection error/.test(refusal) ||
      ['57P03', '57P01', '57P02', '55006', 'ECONNREFUSED', 'ECONNRESET'].includes(refusal);
    if (!isTransient) return 'unusable';
    return isRunning() ? undefined : 'ended';
  });
  if (done === 'ready' || done === 'ended') return done;
  throw new EmbeddedPostgresError(
    'start_failed',
    `Postgres on port ${port} runs but cannot be used (${refusal ?? 'no answer'}).`,
    'See logs/postgres.log in the home folder, put that right, and try again.',
  );
}
