import type { Sessions } from '../../accounts/sessions.js';
import { authRoutes } from '../../contract/auth.js';
import type { Http } from '../http/routes.js';

export function addAuthRoutes(http: Http, sessions: Sessions): void {
  http.open(authRoutes.register, ({ body }, { address }) => sessions.register(body.email, body.password, address));
  http.open(authRoutes.login, ({ body }, { address }) => sessions.login(body.email, body.password, address));
  http.open(authRoutes.token, ({ body }, { address }) => sessions.refresh(body.refreshToken, address));
  http.guarded(authRoutes.profile, async (_, { caller }) => ({ user: await sessions.getProfile(caller.userId) }));
  http.guarded(authRoutes.logout, ({ body }, { caller }) => sessions.logout(caller.userId, body.refreshToken));
  http.guarded(authRoutes.changePassword, ({ body }, { caller, address }) =>
    sessions.changePassword(caller.userId, body.currentPassword, body.newPassword, address),
  );
}
