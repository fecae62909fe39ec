import type { Sessions } from '../../accounts/sessions.js';
import { authRoutes } from '../../contract/auth.js';
import type { Http } from '../http/routes.js';

export function authRoutesOn(http: Http, sessions: Sessions): void {
  http.open(authRoutes.register, ({ body }, { address }) => sessions.register(body.email, body.password, address));
  http.open(authRoutes.login, ({ body }, { address }) => sessions.login(body.email, body.password, address));
  http.open(authRoutes.token, ({ body }, { address }) => sessions.refresh(body.refreshToken, address));
  http.guarded(authRoutes.profile, async (_, { principal }) => ({ user: await sessions.profile(principal.userId) }));
  http.guarded(authRoutes.logout, ({ body }, { principal }) => sessions.logout(principal.userId, body.refreshToken));
  http.guarded(authRoutes.changePassword, ({ body }, { principal, address }) =>
    sessions.changePassword(principal.userId, body.currentPassword, body.newPassword, address),
  );
}
