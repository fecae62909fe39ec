import { createHmac, timingSafeEqual } from 'node:crypto';
import { ServiceError } from '../contract/errors.js';

type Method = 'GET' | 'PUT';

export interface UrlSigner {
  /** `<expiry>.<signature>`, to stand before the key in a URL. A PUT key that ends in `/` covers all below it. */
  sign(method: Method, key: string, expirySeconds: number): string;
  signUntil(method: Method, key: string, expiresAt: Date): string;
  /** The key that a URL grants, or a `forbidden` error. `parts` are `<expiry>.<signature>` and those of the key, decoded. */
  verify(method: Method, parts: readonly string[]): string;
}

/** Signs URLs with HMAC-SHA-256 over method, expiry and key. `now` in milliseconds. */
export function createUrlSigner(secret: string, now: () => number): UrlSigner {
  const mac = (method: Method, expiry: number, key: string) =>
    createHmac('sha256', secret).update(`${method}\n${expiry}\n${key}`).digest('base64url');
  const token = (method: Method, key: string, expiry: number) => `${expiry}.${mac(method, expiry, key)}`;
  const refused = () => new ServiceError('forbidden', 'This link is not valid or has expired: ask for a new one');
  return {
    sign: (method, key, expirySeconds) => token(method, key, Math.ceil(now() / 1000) + expirySeconds),
    signUntil: (method, key, expiresAt) => token(method, key, Math.ceil(expiresAt.getTime() / 1000)),
    verify(method, [head = '', ...rest]) {
      const [expiryText = '', signature = ''] = head.split('.');
      const expiry = Number(expiryText);
      if (!Number.isInteger(expiry) || expiry * 1000 < now()) throw refused();
      const key = rest.join('/');
      // An upload link covers what is in the folder of an assignment: type, job and assignment, the first three parts.
      const covered = method === 'PUT' && rest.length > 3 ? `${rest.slice(0, 3).join('/')}/` : key;
      const expected = Buffer.from(mac(method, expiry, covered));
      const given = Buffer.from(signature);
      if (expected.length !== given.length || !timingSafeEqual(expected, given)) throw refused();
      return key;
    },
  };
}
