import { writeAudit } from '../audit/audit-log.js';
import type { RoleName, UserBody } from '../contract/auth.js';
import { notFound, ServiceError } from '../contract/errors.js';
import type { Database } from '../database/database.js';
import { isUniqueViolation } from '../database/errors.js';
import { hashPassword } from './passwords.js';

export interface UserRow extends UserBody {
  /** Hash of the password. */
  password: string;
}

export interface NewUser {
  email: string;
  password: string;
  roles?: RoleName[] | undefined;
}

const findByEmailSql = 'SELECT id, email, password, to_json(roles) AS roles FROM "User" WHERE lower(email) = lower($1)';

/** Returns the user of an e-mail address, compared without case. */
export async function findByEmail(database: Database, email: string): Promise<UserRow | undefined> {
  const [user] = await database.rows<UserRow>('user-by-email', findByEmailSql, [email]);
  return user;
}

/** Columns of a user in answers: all but the password. */
export const userColumns = { id: true, email: true, roles: true } as const;

const alreadyExists = () => new ServiceError('invalid', 'User already exists');

/** Inserts a user. Throws `invalid` for an address in use, also when two requests with one address race. */
export async function insertUser(database: Database, { email, password, roles = [] }: NewUser): Promise<UserBody> {
  if (await findByEmail(database, email)) throw alreadyExists();
  const passwordHash = await hashPassword(password);
  return database.prisma.user
    .create({ data: { email, password: passwordHash, roles }, select: userColumns })
    .catch((error: unknown) => {
      throw isUniqueViolation(error) ? alreadyExists() : error;
    });
}

export const listUsers = (database: Database): Promise<UserBody[]> =>
  database.prisma.user.findMany({ select: userColumns, orderBy: { id: 'asc' } });

/** Throws `not_found` for an unknown id. */
export async function getUser(database: Database, id: number): Promise<UserBody> {
  const user = await database.prisma.user.findUnique({ where: { id }, select: userColumns });
  if (!user) throw notFound(`User ${id}`);
  return user;
}

export async function createUser(database: Database, newUser: NewUser, adminId: number): Promise<UserBody> {
  const user = await insertUser(database, { ...newUser, roles: [...new Set(newUser.roles)] });
  const metadata = { by: adminId, email: user.email, roles: user.roles };
  await writeAudit(database, { action: 'CREATE_USER', userId: user.id, metadata });
  return user;
}

export async function setRoles(database: Database, id: number, roles: readonly RoleName[], adminId: number) {
  const before = await getUser(database, id);
  const data = { roles: [...new Set(roles)] };
  const user = await database.prisma.user.update({ where: { id }, data, select: userColumns });
  const metadata = { by: adminId, from: before.roles, to: user.roles };
  await writeAudit(database, { action: 'SET_ROLES', userId: id, metadata });
  return user;
}

export async function setPassword(database: Database, id: number, password: string, adminId: number): Promise<void> {
  await getUser(database, id);
  await replacePassword(database, id, password);
  await writeAudit(database, { action: 'SET_PASSWORD', userId: id, metadata: { by: adminId } });
}

/** Gives each job of a user to the earliest other requester of the job. */
const handOverJobsSql = `
UPDATE "Job" j SET user_id = successor.user_id
FROM (SELECT DISTINCT ON (job_id) job_id, user_id FROM "JobRequest" WHERE user_id <> $1 ORDER BY job_id, id) successor
WHERE successor.job_id = j.id AND j.user_id = $1`;

/** Removes a user with the user's records. Jobs with other requesters stay. */
export async function removeUser(database: Database, id: number, adminId: number): Promise<void> {
  if (id === adminId) throw new ServiceError('invalid', 'You cannot remove your own account');
  const { email } = await getUser(database, id);
  await database.transaction(async (client) => {
    await client.query(handOverJobsSql, [id]);
    await client.query('DELETE FROM "User" WHERE id = $1', [id]);
  });
  await writeAudit(database, { action: 'DELETE_USER', userId: null, metadata: { by: adminId, id, email } });
}

/** Sets the password and revokes every refresh token of the user. */
export async function replacePassword(database: Database, id: number, password: string): Promise<void> {
  const passwordHash = await hashPassword(password);
  await database.prisma.$transaction([
    database.prisma.user.update({ where: { id }, data: { password: passwordHash } }),
    database.prisma.refreshToken.updateMany({ where: { user_id: id }, data: { valid: false } }),
  ]);
}

export interface AuditLogQuery {
  userId?: number | undefined;
  page?: number | undefined;
  limit?: number | undefined;
}

/** Returns a page of the audit log, newest first; of one user when `userId` is set. */
export async function readAuditLog(database: Database, { userId, page = 1, limit = 50 }: AuditLogQuery) {
  const where = userId === undefined ? {} : { userId };
  const [logs, total] = await Promise.all([
    database.prisma.userLog.findMany({
      where,
      orderBy: [{ time: 'desc' }, { id: 'desc' }],
      skip: (page - 1) * limit,
      take: limit,
      include: { user: { select: userColumns } },
    }),
    database.prisma.userLog.count({ where }),
  ]);
  return { logs, pagination: { page, limit, total, pages: Math.ceil(total / limit) } };
}
