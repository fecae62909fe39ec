import { hashSecret, newSecret } from '../../accounts/secret-hash.js';
import type { Database } from '../../database/database.js';

const validSeconds = 60;

/** Tokens that open the log of one execution, once, within a minute. */
export function createLogTokens(database: Database) {
  return {
    async issue(executionId: string): Promise<string> {
      const token = newSecret('log');
      await database.rows(
        'log-token-make',
        `INSERT INTO "LogToken" (token_hash, execution_id, expires_at)
         VALUES ($1, $2, now() + make_interval(secs => ${validSeconds}))`,
        [hashSecret(token), executionId],
      );
      return token;
    },
    /** The execution that it opens; undefined when it was used, has ended or never was. Of two at once one gets it. */
    async take(token: string): Promise<string | undefined> {
      const [row] = await database.rows<{ execution_id: string; good: boolean }>(
        'log-token-take',
        'DELETE FROM "LogToken" WHERE token_hash = $1 RETURNING execution_id, expires_at > now() AS good',
        [hashSecret(token)],
      );
      return row?.good ? row.execution_id : undefined;
    },
    async removeExpired(): Promise<void> {
      await database.rows('log-tokens-expired', 'DELETE FROM "LogToken" WHERE expires_at < now()', []);
    },
  };
}
export type LogTokens = ReturnType<typeof createLogTokens>;
