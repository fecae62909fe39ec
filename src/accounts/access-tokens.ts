import { createHash, type KeyObject, randomBytes } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { role } from '../contract/auth.js';
import type { Caller } from './caller.js';
import type { SigningKeys } from './signing-keys.js';

export interface TokenSettings {
  keys: SigningKeys;
  issuer: string;
  expiresInSeconds: number;
}

/** The account that a token speaks for. */
export type TokenSubject = Pick<Caller, 'userId' | 'email' | 'roles'>;

/** A signed access token: RS256, `kid` in the header, claims `id email roles iss exp`. */
export function signAccessToken({ keys, issuer, expiresInSeconds }: TokenSettings, subject: TokenSubject): string {
  const { userId: id, email, roles } = subject;
  return jwt.sign({ id, email, roles }, keys.privateKey, {
    algorithm: 'RS256',
    keyid: keys.keyId,
    issuer,
    expiresIn: expiresInSeconds,
  });
}

/** The key that a token names in its header, if it is one of ours. */
export function keyOfToken(keys: SigningKeys, token: string): KeyObject | undefined {
  const kid = headerOf(token)?.kid;
  return kid === undefined ? undefined : keys.publicKeys.get(kid);
}

function headerOf(token: string) {
  try {
    return jwt.decode(token, { complete: true })?.header;
  } catch {
    // Its payload is not JSON.
    return undefined;
  }
}

const claims = z.object({ id: z.int(), email: z.string(), roles: z.array(role), exp: z.number() });

/** The caller that verified claims speak of, and when the token ends (seconds since 1970). */
export function toTokenSubject(payload: unknown): (TokenSubject & { expiresAt: number }) | undefined {
  const parsed = claims.safeParse(payload);
  if (!parsed.success) return undefined;
  const { id: userId, email, roles, exp: expiresAt } = parsed.data;
  return { userId, email, roles, expiresAt };
}

/** A secret of 256 random bits. */
export const newSecret = (prefix: string): string => `${prefix}_${randomBytes(32).toString('base64url')}`;

/** How secrets of full entropy are stored: SHA-256 in hex. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');
