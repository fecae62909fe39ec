import { hashSecret, newSecret } from '../../accounts/secret-hash.js';
import type { Database } from '../../database/database.js';

/** Tokens such as `log_4hGx…`. A token opens the log of an execution once, within a minute. */
export class LogTokens {
  constructor(private readonly database: Database) {}

  async issue(executionId: string): Promise<string> {
    const issueSql = `
      INSERT INTO "LogToken" (token_hash, execution_id, expires_at) VALUES ($1, $2, now() + make_interval(secs => 60))`;
    const token = newSecret('log');
    await this.database.rows('log-token-issue', issueSql, [hashSecret(token), executionId]);
    return token;
  }

  /** Uses a token up. Returns the execution to one caller; undefined for a used, expired or unknown token. */
  async redeem(token: string): Promise<string | undefined> {
    const [row] = await this.database.rows<{ execution_id: string; is_valid: boolean }>(
      'log-token-redeem',
      'DELETE FROM "LogToken" WHERE token_hash = $1 RETURNING execution_id, expires_at > now() AS is_valid',
      [hashSecret(token)],
    );
    return row?.is_valid ? row.execution_id : undefined;
  }

  async removeExpired(): Promise<void> {
    await this.database.rows('log-tokens-expired', 'DELETE FROM "LogToken" WHERE expires_at < now()', []);
  }
}
