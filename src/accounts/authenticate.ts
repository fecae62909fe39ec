import type { IncomingMessage } from 'node:http';
import { Passport } from 'passport';
import { ExtractJwt, Strategy as JwtStrategy } from 'passport-jwt';
import { type ErrorCode, ServiceError } from '../contract/errors.js';
import type { Database } from '../database/database.js';
import { hashSecret, keyOfToken, type TokenSettings, type TokenSubject, toTokenSubject } from './access-tokens.js';
import type { Caller } from './caller.js';

/** Identifies the caller of a request. Throws `unauthenticated` when the token or the key is not valid. */
export type Authenticate = (request: IncomingMessage, requestId: string) => Promise<Caller>;

/** Verified tokens are remembered until they end, so that a busy worker's signature is checked once. */
const rememberedTokens = 5_000;
const refusedKey = (code: ErrorCode, message: string) => new ServiceError('unauthenticated', message, { code });
const unauthenticated = (message: string) => new ServiceError('unauthenticated', message);

interface KeyRow {
  id: number;
  user_id: number;
  email: string;
  roles: Caller['roles'];
  role: Caller['roles'][number] | null;
  revoked: boolean;
  stale: boolean;
}

const keyText = `
SELECT k.id, k.user_id, u.email, to_json(u.roles) AS roles, k.role,
  k.revoked, (k.last_used IS NULL OR k.last_used < now() - interval '1 minute') AS stale
FROM "ApiKey" k JOIN "User" u ON u.id = k.user_id WHERE k.key_hash = $1`;

/** Finds out who calls: by API key (asked of the database each time, so that a revoked key stops at once) or by JWT. */
export function createAuthenticate(deps: { database: Database; tokens: TokenSettings; now(): number }): Authenticate {
  const { database, tokens, now } = deps;
  const verified = new Map<string, TokenSubject & { expiresAt: number }>();
  const passport = new Passport();
  passport.use(
    new JwtStrategy(
      {
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        issuer: tokens.issuer,
        algorithms: ['RS256'],
        secretOrKeyProvider(_request, token: string, done) {
          const key = keyOfToken(tokens.keys, token);
          if (key) done(null, key.export({ type: 'spki', format: 'pem' }));
          else done(new Error('unknown key'));
        },
      },
      (payload: unknown, done) => done(null, toTokenSubject(payload) ?? false),
    ),
  );

  const byToken = async (request: IncomingMessage, header: string) => {
    const known = verified.get(header);
    if (known && known.expiresAt * 1000 > now()) return known;
    verified.delete(header);
    const subject = await new Promise<TokenSubject & { expiresAt: number }>((resolve, reject) => {
      const refuse = () => reject(unauthenticated('The token is not valid or has expired: log in again'));
      const authenticate = passport.authenticate(
        'jwt',
        { session: false },
        (error: unknown, user: (TokenSubject & { expiresAt: number }) | false | undefined) =>
          error || !user ? refuse() : resolve(user),
      );
      authenticate(request, undefined, refuse);
    });
    verified.set(header, subject);
    if (verified.size > rememberedTokens)
      for (const oldest of verified.keys()) {
        verified.delete(oldest);
        break;
      }
    return subject;
  };

  const byKey = async (key: string): Promise<TokenSubject> => {
    const [found] = await database.rows<KeyRow>('auth-key', keyText, [hashSecret(key)]);
    if (!found) throw refusedKey('INVALID_API_KEY', 'The API key is not valid');
    if (found.revoked) throw refusedKey('API_KEY_REVOKED', 'The API key was revoked');
    if (found.stale)
      await database.rows('auth-key-used', 'UPDATE "ApiKey" SET last_used = now() WHERE id = $1', [found.id]);
    return { userId: found.user_id, email: found.email, roles: found.role === null ? found.roles : [found.role] };
  };

  return async (request, requestId) => {
    const { authorization, 'x-api-key': key } = request.headers;
    if (typeof key === 'string' && key !== '') return toCaller(await byKey(key), requestId);
    if (authorization !== undefined) return toCaller(await byToken(request, authorization), requestId);
    throw unauthenticated('Send a token (Authorization: Bearer …) or an API key (X-API-Key)');
  };
}

const toCaller = ({ userId, email, roles }: TokenSubject, requestId: string): Caller => ({
  userId,
  email,
  roles,
  requestId,
});
