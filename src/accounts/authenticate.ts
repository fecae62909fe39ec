import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import { type ErrorCode, ServiceError } from '../contract/errors.js';
import type { Database } from '../database/database.js';
import type { TokenSettings, TokenSubject, VerifiedToken } from './access-tokens.js';
import type { Caller } from './caller.js';
import { createAccessTokenVerifier, type VerifyAccessToken } from './jwt-strategy.js';
import { hashSecret } from './secret-hash.js';

interface ApiKeyRow {
  id: number;
  user_id: number;
  email: string;
  roles: Caller['roles'];
  role: Caller['roles'][number] | null;
  revoked: boolean;
  stale: boolean;
}

const findApiKeySql = `
SELECT k.id, k.user_id, u.email, to_json(u.roles) AS roles, k.role,
  k.revoked, (k.last_used IS NULL OR k.last_used < now() - interval '1 minute') AS stale
FROM "ApiKey" k JOIN "User" u ON u.id = k.user_id WHERE k.key_hash = $1`;

/** Identifies the caller of a request by API key (`X-API-Key`) or access token (`Authorization: Bearer …`). */
export class Authenticator {
  private readonly verifyToken: VerifyAccessToken;
  /** Unexpired verified tokens by header. A busy worker sends the same token with each request. */
  private readonly verifiedTokens: LRUCache<string, VerifiedToken>;

  constructor(
    private readonly database: Database,
    tokens: TokenSettings,
    private readonly now: () => number,
  ) {
    this.verifyToken = createAccessTokenVerifier(tokens);
    this.verifiedTokens = new LRUCache({ max: 5_000, perf: { now }, ttlResolution: 0 });
  }

  /** Returns the caller. Throws `unauthenticated` without valid credentials. An API key counts before a token. */
  async authenticate(request: IncomingMessage, requestId: string): Promise<Caller> {
    const { authorization, 'x-api-key': apiKey } = request.headers;
    if (typeof apiKey === 'string' && apiKey !== '') return toCaller(await this.authenticateApiKey(apiKey), requestId);
    if (authorization !== undefined) return toCaller(await this.authenticateToken(authorization, request), requestId);
    throw unauthenticated('Send a token (Authorization: Bearer …) or an API key (X-API-Key)');
  }

  private async authenticateToken(authorization: string, request: IncomingMessage): Promise<TokenSubject> {
    const cached = this.verifiedTokens.get(authorization);
    if (cached) return cached;
    const token = await this.verifyToken(request);
    if (!token) throw unauthenticated('The token is not valid or has expired: log in again');
    const ttl = token.expiresAt * 1000 - this.now();
    if (ttl > 0) this.verifiedTokens.set(authorization, token, { ttl });
    return token;
  }

  /** Reads the key from the database at each request, because a revoked key must stop at once. */
  private async authenticateApiKey(apiKey: string): Promise<TokenSubject> {
    const [key] = await this.database.rows<ApiKeyRow>('api-key-find', findApiKeySql, [hashSecret(apiKey)]);
    if (!key) throw unauthenticated('The API key is not valid', 'INVALID_API_KEY');
    if (key.revoked) throw unauthenticated('The API key was revoked', 'API_KEY_REVOKED');
    if (key.stale)
      await this.database.rows('api-key-used', 'UPDATE "ApiKey" SET last_used = now() WHERE id = $1', [key.id]);
    return { userId: key.user_id, email: key.email, roles: key.role === null ? key.roles : [key.role] };
  }
}

const unauthenticated = (message: string, code?: ErrorCode) =>
  new ServiceError('unauthenticated', message, code === undefined ? {} : { code });

const toCaller = ({ userId, email, roles }: TokenSubject, requestId: string) => ({ userId, email, roles, requestId });
