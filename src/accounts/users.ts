import { type AuditEntry, writeAudit } from '../audit/audit-log.js';
import type { RoleName, UserBody } from '../contract/auth.js';
import { notFound, ServiceError } from '../contract/errors.js';
import type { Database } from '../database/database.js';
import { isUniqueViolation } from '../database/errors.js';
import { hashPassword } from './passwords.js';

export interface AccountRow {
  id: number;
  email: string;
  password: string;
  roles: RoleName[];
}

const findText = 'SELECT id, email, password, to_json(roles) AS roles FROM "User" WHERE lower(email) = lower($1)';

/** The account of an address, compared without case. */
export async function findByEmail(database: Database, email: string): Promise<AccountRow | undefined> {
  const [found] = await database.rows<AccountRow>('user-by-email', findText, [email]);
  return found;
}

const shown = { id: true, email: true, roles: true } as const;
const alreadyExists = () => new ServiceError('invalid', 'User already exists');

/** Makes an account; `invalid` when the address has one, also when two ask at the same instant. */
export async function createAccount(
  database: Database,
  { email, password, roles = [] }: { email: string; password: string; roles?: RoleName[] | undefined },
): Promise<UserBody> {
  if (await findByEmail(database, email)) throw alreadyExists();
  const hashed = await hashPassword(password);
  return database.prisma.user
    .create({ data: { email, password: hashed, roles }, select: shown })
    .catch((error: unknown) => {
      throw isUniqueViolation(error) ? alreadyExists() : error;
    });
}

/** The administrator's view of accounts. `actor` goes into the audit log. */
export function createAccounts(database: Database) {
  const audit = (entry: AuditEntry) => writeAudit(database, entry);
  const get = async (id: number): Promise<UserBody> => {
    const user = await database.prisma.user.findUnique({ where: { id }, select: shown });
    if (!user) throw notFound(`User ${id}`);
    return user;
  };
  return {
    get,
    list: (): Promise<UserBody[]> => database.prisma.user.findMany({ select: shown, orderBy: { id: 'asc' } }),
    async create(
      account: { email: string; password: string; roles?: RoleName[] | undefined },
      actor: number,
    ): Promise<UserBody> {
      const user = await createAccount(database, { ...account, roles: [...new Set(account.roles)] });
      await audit({
        action: 'CREATE_USER',
        userId: user.id,
        metadata: { by: actor, email: user.email, roles: user.roles },
      });
      return user;
    },
    async setRoles(id: number, roles: RoleName[], actor: number): Promise<UserBody> {
      const before = await get(id);
      const user = await database.prisma.user.update({
        where: { id },
        data: { roles: [...new Set(roles)] },
        select: shown,
      });
      await audit({ action: 'SET_ROLES', userId: id, metadata: { by: actor, from: before.roles, to: user.roles } });
      return user;
    },
    async setPassword(id: number, password: string, actor: number): Promise<void> {
      await get(id);
      await replacePassword(database, id, password);
      await audit({ action: 'SET_PASSWORD', userId: id, metadata: { by: actor } });
    },
    /** Removes the account. Jobs that others requested too go on under the first of them. */
    async remove(id: number, actor: number): Promise<void> {
      if (id === actor) throw new ServiceError('invalid', 'You cannot remove your own account');
      const { email } = await get(id);
      await database.transaction(async (client) => {
        await client.query(
          `UPDATE "Job" j SET user_id = heir.user_id
           FROM (SELECT DISTINCT ON (job_id) job_id, user_id FROM "JobRequest" WHERE user_id <> $1 ORDER BY job_id, id) heir
           WHERE heir.job_id = j.id AND j.user_id = $1`,
          [id],
        );
        await client.query('DELETE FROM "User" WHERE id = $1', [id]);
      });
      await audit({ action: 'DELETE_USER', userId: null, metadata: { by: actor, id, email } });
    },
    async log({
      userId,
      page = 1,
      limit = 50,
    }: {
      userId?: number | undefined;
      page?: number | undefined;
      limit?: number | undefined;
    }) {
      const where = userId === undefined ? {} : { userId };
      const [logs, total] = await Promise.all([
        database.prisma.userLog.findMany({
          where,
          orderBy: [{ time: 'desc' }, { id: 'desc' }],
          skip: (page - 1) * limit,
          take: limit,
          include: { user: { select: shown } },
        }),
        database.prisma.userLog.count({ where }),
      ]);
      return { logs, pagination: { page, limit, total, pages: Math.ceil(total / limit) } };
    },
  };
}
export type Accounts = ReturnType<typeof createAccounts>;

/** Sets the password and revokes every refresh token of the account. */
export async function replacePassword(database: Database, id: number, password: string): Promise<void> {
  const hashed = await hashPassword(password);
  await database.prisma.$transaction([
    database.prisma.user.update({ where: { id }, data: { password: hashed } }),
    database.prisma.refreshToken.updateMany({ where: { user_id: id }, data: { valid: false } }),
  ]);
}
