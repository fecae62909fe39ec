import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { role } from '../contract/auth.js';
import type { Caller } from './caller.js';
import type { PublicKey, SigningKeys } from './signing-keys.js';

export interface TokenSettings {
  keys: SigningKeys;
  issuer: string;
  expiresInSeconds: number;
}

/** The account behind a token or an API key. */
export type TokenSubject = Pick<Caller, 'userId' | 'email' | 'roles'>;

export interface VerifiedToken extends TokenSubject {
  /** Seconds since 1970. */
  expiresAt: number;
}

/** Signs an access token: RS256, `kid` in the header, claims `id email roles iss iat exp`. */
export function signAccessToken({ keys, issuer, expiresInSeconds }: TokenSettings, subject: TokenSubject): string {
  const { userId: id, email, roles } = subject;
  const header = { algorithm: 'RS256', keyid: keys.keyId } as const;
  return jwt.sign({ id, email, roles }, keys.privateKey, { ...header, issuer, expiresIn: expiresInSeconds });
}

/** Returns the public key of a token's `kid` header, or undefined for an unknown key. */
export function findVerificationKey(keys: SigningKeys, token: string): PublicKey | undefined {
  try {
    const keyId = jwt.decode(token, { complete: true })?.header.kid;
    return keyId === undefined ? undefined : keys.publicKeys.get(keyId);
  } catch {
    // jsonwebtoken throws for a payload other than JSON.
    return undefined;
  }
}

const claims = z.object({ id: z.int(), email: z.string(), roles: z.array(role), exp: z.number() });

/** Returns the account of verified claims, or undefined when a claim is missing or has the wrong type. */
export function toVerifiedToken(payload: unknown): VerifiedToken | undefined {
  const parsed = claims.safeParse(payload);
  if (!parsed.success) return undefined;
  const { id: userId, email, roles, exp: expiresAt } = parsed.data;
  return { userId, email, roles, expiresAt };
}
