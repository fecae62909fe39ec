import type { Database } from '../database/database.js';

export type AuditAction =
  | 'REGISTER'
  | 'LOGIN'
  | 'LOGIN_FAILED'
  | 'LOGOUT'
  | 'CHANGE_PASSWORD'
  | 'CREATE_USER'
  | 'SET_ROLES'
  | 'SET_PASSWORD'
  | 'DELETE_USER'
  | 'REVOKE_USER'
  | 'CLAIM_KEY'
  | 'SEED';

/** Entry of the audit log. `metadata` names caller, origin and target, e.g. `{ ip: '10.0.0.1' }`; never a secret. */
export interface AuditEntry {
  action: AuditAction;
  userId: number | null;
  metadata?: Record<string, string | number | string[]>;
}

/** Adds an entry to the audit log. Uses plain SQL, because Prisma takes 60 MB once used, also in a starting server. */
export async function writeAudit(database: Database, { action, userId, metadata = {} }: AuditEntry): Promise<void> {
  const insertSql = 'INSERT INTO "UserLog" (action, "userId", metadata) VALUES ($1, $2, $3::jsonb)';
  await database.rows('audit-write', insertSql, [action, userId, JSON.stringify(metadata)]);
}
