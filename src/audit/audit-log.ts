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

/** One line of the audit log. `metadata` says who did it, from where, to whom; never a secret. */
export interface AuditEntry {
  action: AuditAction;
  userId: number | null;
  metadata?: Record<string, string | number | string[]>;
}

/** Adds a line to the audit log. Plain SQL, because a server that only starts needs nothing of Prisma, which takes 60 MB once it is used. */
export async function writeAudit(database: Database, { action, userId, metadata = {} }: AuditEntry): Promise<void> {
  await database.rows('audit-write', 'INSERT INTO "UserLog" (action, "userId", metadata) VALUES ($1, $2, $3::jsonb)', [
    action,
    userId,
    JSON.stringify(metadata),
  ]);
}
