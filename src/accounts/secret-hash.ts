import { createHash, randomBytes } from 'node:crypto';

/** Returns a secret of 256 random bits, for example `newSecret('rg')` → `rg_5Yw…`. */
export const newSecret = (prefix: string): string => `${prefix}_${randomBytes(32).toString('base64url')}`;

/** Returns the stored form of a secret: SHA-256 in hex. Enough for secrets of full entropy, unlike passwords. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');
