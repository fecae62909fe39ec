import { writeAudit } from '../audit/audit-log.js';
import type { UserBody } from '../contract/auth.js';
import { ServiceError } from '../contract/errors.js';
import type { Database } from '../database/database.js';
import { signAccessToken, type TokenSettings } from './access-tokens.js';
import type { AttemptLimiter } from './attempt-limits.js';
import { checkPassword } from './passwords.js';
import { hashSecret, newSecret } from './secret-hash.js';
import { findByEmail, insertUser, replacePassword, userColumns } from './users.js';

export interface SessionSettings {
  tokens: TokenSettings;
  refreshExpiresInSeconds: number;
  now(): number;
}

const invalidCredentials = () => new ServiceError('unauthenticated', 'Invalid credentials');

/** Registers, logs in and out, refreshes tokens and changes passwords. `address` is the caller's IP address. */
export class Sessions {
  constructor(
    private readonly database: Database,
    private readonly attempts: AttemptLimiter,
    private readonly settings: SessionSettings,
  ) {}

  async register(email: string, password: string, address: string): Promise<{ userId: number }> {
    await this.attempts.begin({ register: address });
    const { id: userId } = await insertUser(this.database, { email, password });
    await writeAudit(this.database, { action: 'REGISTER', userId, metadata: { address } });
    return { userId };
  }

  async login(email: string, password: string, address: string): Promise<{ token: string; refreshToken: string }> {
    const counters = { account: email, address };
    await this.attempts.begin(counters);
    const user = await findByEmail(this.database, email);
    const isRight = await checkPassword(user?.password, password);
    if (!user || !isRight) {
      await writeAudit(this.database, { action: 'LOGIN_FAILED', userId: user?.id ?? null, metadata: { address } });
      throw invalidCredentials();
    }
    await this.attempts.succeed(counters);
    const refreshToken = await this.createRefreshToken(user.id);
    await writeAudit(this.database, { action: 'LOGIN', userId: user.id, metadata: { address } });
    return { token: this.signToken(user), refreshToken };
  }

  /** Returns a new access token with the present roles of the account. The refresh token stays usable. */
  async refresh(refreshToken: string, address: string): Promise<{ token: string }> {
    await this.attempts.begin({ address });
    const where = { token: hashSecret(refreshToken) };
    const row = await this.database.prisma.refreshToken.findUnique({ where, include: { user: true } });
    if (!row?.valid || row.expiry_time <= this.nowSeconds())
      throw new ServiceError('unauthenticated', 'Invalid refresh token');
    await this.attempts.succeed({ address });
    return { token: this.signToken(row.user) };
  }

  async getProfile(userId: number): Promise<UserBody> {
    const user = await this.database.prisma.user.findUnique({ where: { id: userId }, select: userColumns });
    if (!user) throw new ServiceError('unauthenticated', 'This account no longer exists');
    return user;
  }

  /** Revokes a refresh token of the user. An unknown token counts as revoked already. */
  async logout(userId: number, refreshToken: string): Promise<void> {
    const where = { token: hashSecret(refreshToken), user_id: userId };
    await this.database.prisma.refreshToken.updateMany({ where, data: { valid: false } });
    await writeAudit(this.database, { action: 'LOGOUT', userId });
  }

  /** Changes the caller's password and revokes every refresh token of the account. */
  async changePassword(userId: number, currentPassword: string, newPassword: string, address: string): Promise<void> {
    const user = await this.database.prisma.user.findUnique({ where: { id: userId } });
    const counters = { account: user?.email ?? String(userId), address };
    await this.attempts.begin(counters);
    if (!user || !(await checkPassword(user.password, currentPassword))) throw invalidCredentials();
    await this.attempts.succeed(counters);
    await replacePassword(this.database, userId, newPassword);
    await writeAudit(this.database, { action: 'CHANGE_PASSWORD', userId });
  }

  private async createRefreshToken(userId: number): Promise<string> {
    const refreshToken = newSecret('rt');
    const expiry_time = this.nowSeconds() + this.settings.refreshExpiresInSeconds;
    const data = { user_id: userId, token: hashSecret(refreshToken), expiry_time };
    await this.database.prisma.refreshToken.create({ data });
    return refreshToken;
  }

  private signToken({ id: userId, email, roles }: UserBody): string {
    return signAccessToken(this.settings.tokens, { userId, email, roles });
  }

  private nowSeconds(): number {
    return Math.floor(this.settings.now() / 1000);
  }
}
