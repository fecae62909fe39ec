import { createHmac, timingSafeEqual } from 'node:crypto';
import { ServiceError } from '../contract/errors.js';

type Method = 'GET' | 'PUT';

/** Signs URLs with HMAC-SHA-256 over method, expiry and key. `now` returns milliseconds since 1970. */
export class UrlSigner {
  constructor(
    private readonly secret: string,
    private readonly now: () => number,
  ) {}

  /** Returns `<expiry>.<signature>`, e.g. `1764028800.Xk3…`. A PUT key that ends in `/` covers every key below. */
  sign(method: Method, key: string, expirySeconds: number): string {
    return this.signUntil(method, key, new Date(this.now() + expirySeconds * 1000));
  }

  signUntil(method: Method, key: string, expiresAt: Date): string {
    const expiry = Math.ceil(expiresAt.getTime() / 1000);
    return `${expiry}.${this.toSignature(method, expiry, key)}`;
  }

  /** Returns the key that a URL grants. `parts` are `<expiry>.<signature>` and the decoded parts of the key. Throws `forbidden`. */
  verify(method: Method, [token = '', ...parts]: readonly string[]): string {
    const [expiryText = '', signature = ''] = token.split('.');
    const expiry = Number(expiryText);
    if (!Number.isInteger(expiry) || expiry * 1000 < this.now()) throw toForbidden();
    const key = parts.join('/');
    // An upload URL covers the directory of an assignment: type, job and assignment, the first three parts.
    const signedKey = method === 'PUT' && parts.length > 3 ? `${parts.slice(0, 3).join('/')}/` : key;
    const expected = Buffer.from(this.toSignature(method, expiry, signedKey));
    const actual = Buffer.from(signature);
    if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) throw toForbidden();
    return key;
  }

  private toSignature(method: Method, expiry: number, key: string): string {
    return createHmac('sha256', this.secret).update(`${method}\n${expiry}\n${key}`).digest('base64url');
  }
}

const toForbidden = () => new ServiceError('forbidden', 'This link is not valid or has expired: request a new one');
