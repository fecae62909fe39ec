import pg from 'pg';
import { errorCode } from '../../platform/system-errors.js';
import { EmbeddedPostgresError, toDiskFullError } from './errors.js';
import { poll } from './poll.js';
import { toConnectionUrl } from './server-record.js';

const maxWaitMs = 60_000;

/** The server is up: 53300 (too many connections) follows the password, 42P04 and 23505 a concurrent CREATE DATABASE. */
const readyCodes = ['53300', '42P04', '23505'];
/** The server starts or recovers (57P03), ends sessions (57P01, 57P02), copies a template (55006), or does not listen yet. */
const transientCodes = ['57P03', '57P01', '57P02', '55006', 'ECONNREFUSED', 'ECONNRESET'];

/** Runs a statement. Returns undefined, or the code of the error (for example `3D000`), or its text when it has no code. */
async function tryQuery(url: string, sql: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: maxWaitMs });
  // A server may end while the connection closes.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(sql);
    return undefined;
  } catch (error) {
    // Errors of pg itself have no code, for example when the server ends during a login.
    return errorCode(error) ?? String(error);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Waits until the server answers, and creates a missing database. Returns `ended` when the server is gone. */
export async function ensureDatabase(
  port: number,
  password: string,
  paths: { root: string; passwordFile: string },
  isRunning: () => boolean,
): Promise<'ready' | 'ended'> {
  let code: string | undefined;
  const state = await poll<'ready' | 'ended' | 'unusable'>(maxWaitMs, async () => {
    code = await tryQuery(toConnectionUrl(port, password), 'SELECT 1');
    if (code === '3D000') {
      code = await tryQuery(toConnectionUrl(port, password, 'postgres'), 'CREATE DATABASE reefguide');
    }
    if (code === undefined || readyCodes.includes(code)) return 'ready';
    if (code === '28P01') {
      throw new EmbeddedPostgresError(
        'password_mismatch',
        `Postgres on port ${port} does not accept the password in ${paths.passwordFile}`,
        'Restore the file that belongs to this database; or delete the home directory to start with an empty database.',
      );
    }
    if (code === '53100') throw toDiskFullError(paths.root, code);
    const isTransient = transientCodes.includes(code) || /terminated|connection error/.test(code);
    if (!isTransient) return 'unusable';
    return isRunning() ? undefined : 'ended';
  });
  if (state === 'ready' || state === 'ended') return state;
  throw new EmbeddedPostgresError(
    'start_failed',
    `Postgres on port ${port} runs but cannot be used (${code ?? 'no answer'})`,
    'Read logs/postgres.log in the home directory, fix the cause, and try again.',
  );
}
