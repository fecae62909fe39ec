import { writeAudit } from '../audit/audit-log.js';
import type { UserBody } from '../contract/auth.js';
import { ServiceError } from '../contract/errors.js';
import type { Database } from '../database/database.js';
import { hashSecret, newSecret, signAccessToken, type TokenSettings } from './access-tokens.js';
import type { Attempts } from './attempt-limits.js';
import { checkPassword } from './passwords.js';
import { createAccount, findByEmail, replacePassword } from './users.js';

/** Where a request comes from, as it stands in counters and in the audit log. */
export type Address = string;

/** Register, login, refresh, logout, change password. */
export function createSessions(deps: {
  database: Database;
  tokens: TokenSettings;
  attempts: Attempts;
  refreshExpiresInSeconds: number;
  now(): number;
}) {
  const { database, tokens, attempts } = deps;
  const nowSeconds = () => Math.floor(deps.now() / 1000);
  return {
    async register(email: string, password: string, address: Address): Promise<{ userId: number }> {
      await attempts.begin({ register: address });
      const { id: userId } = await createAccount(database, { email, password });
      await writeAudit(database, { action: 'REGISTER', userId, metadata: { address } });
      return { userId };
    },
    async login(email: string, password: string, address: Address): Promise<{ token: string; refreshToken: string }> {
      const counters = { account: email, address };
      await attempts.begin(counters);
      const account = await findByEmail(database, email);
      const right = await checkPassword(account?.password, password);
      if (!account || !right) {
        await writeAudit(database, { action: 'LOGIN_FAILED', userId: account?.id ?? null, metadata: { address } });
        throw new ServiceError('unauthenticated', 'Invalid credentials');
      }
      await attempts.succeed(counters);
      const refreshToken = newSecret('rt');
      await database.prisma.refreshToken.create({
        data: {
          user_id: account.id,
          token: hashSecret(refreshToken),
          expiry_time: nowSeconds() + deps.refreshExpiresInSeconds,
        },
      });
      await writeAudit(database, { action: 'LOGIN', userId: account.id, metadata: { address } });
      const { id: userId, email: known, roles } = account;
      return { token: signAccessToken(tokens, { userId, email: known, roles }), refreshToken };
    },
    /** A new access token, with the roles that the account has now. */
    async refresh(refreshToken: string, address: Address): Promise<{ token: string }> {
      await attempts.begin({ address });
      const found = await database.prisma.refreshToken.findUnique({
        where: { token: hashSecret(refreshToken) },
        include: { user: true },
      });
      if (!found?.valid || found.expiry_time <= nowSeconds()) {
        throw new ServiceError('unauthenticated', 'Invalid refresh token');
      }
      await attempts.succeed({ address });
      const { id: userId, email, roles } = found.user;
      return { token: signAccessToken(tokens, { userId, email, roles }) };
    },
    async profile(userId: number): Promise<UserBody> {
      const user = await database.prisma.user.findUnique({
        where: { id: userId },
        select: { id: true, email: true, roles: true },
      });
      if (!user) throw new ServiceError('unauthenticated', 'This account no longer exists');
      return user;
    },
    /** Revokes the token if it is the user's; one that is unknown is as good as revoked. */
    async logout(userId: number, refreshToken: string): Promise<void> {
      await database.prisma.refreshToken.updateMany({
        where: { token: hashSecret(refreshToken), user_id: userId },
        data: { valid: false },
      });
      await writeAudit(database, { action: 'LOGOUT', userId });
    },
    async changePassword(
      userId: number,
      currentPassword: string,
      newPassword: string,
      address: Address,
    ): Promise<void> {
      const user = await database.prisma.user.findUnique({ where: { id: userId } });
      const counters = { account: user?.email ?? String(userId), address };
      await attempts.begin(counters);
      if (!user || !(await checkPassword(user.password, currentPassword))) {
        throw new ServiceError('unauthenticated', 'Invalid credentials');
      }
      await attempts.succeed(counters);
      await replacePassword(database, userId, newPassword);
      await writeAudit(database, { action: 'CHANGE_PASSWORD', userId });
    },
  };
}
export type Sessions = ReturnType<typeof createSessions>;
