import type { UserBody } from '../contract/auth.js';
import type { HttpClient } from './http.js';

/** Returns the calls under /api/auth. */
export function accountCalls({ call }: HttpClient) {
  return {
    login: (email: string, password: string) =>
      call<{ token: string; refreshToken: string }>('POST', '/api/auth/login', { body: { email, password } }),
    logout: (refreshToken: string) => call<void>('POST', '/api/auth/logout', { body: { refreshToken } }),
    profile: () => call<{ user: UserBody }>('GET', '/api/auth/profile'),
  };
}
