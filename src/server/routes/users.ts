import type { Accounts } from '../../accounts/users.js';
import { userRoutes } from '../../contract/auth.js';
import type { Http } from '../http/routes.js';

export function userRoutesOn(http: Http, accounts: Accounts): void {
  http.guarded(userRoutes.list, async () => ({ users: await accounts.list() }));
  http.guarded(userRoutes.log, ({ query }) => accounts.log(query));
  http.guarded(userRoutes.get, async ({ params }) => ({ user: await accounts.get(params.id) }));
  http.guarded(userRoutes.create, async ({ body }, { principal }) => {
    const user = await accounts.create(body, principal.userId);
    return { user, userId: user.id };
  });
  http.guarded(userRoutes.setRoles, async ({ params, body }, { principal }) => ({
    user: await accounts.setRoles(params.id, body.roles, principal.userId),
  }));
  http.guarded(userRoutes.setPassword, ({ params, body }, { principal }) =>
    accounts.setPassword(params.id, body.password, principal.userId),
  );
  http.guarded(userRoutes.remove, ({ params }, { principal }) => accounts.remove(params.id, principal.userId));
}
