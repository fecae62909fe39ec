import type { Accounts } from '../../accounts/users.js';
import { userRoutes } from '../../contract/auth.js';
import type { Http } from '../http/routes.js';

export function userRoutesOn(http: Http, accounts: Accounts): void {
  http.guarded(userRoutes.list, async () => ({ users: await accounts.list() }));
  http.guarded(userRoutes.log, ({ query }) => accounts.log(query));
  http.guarded(userRoutes.get, async ({ params }) => ({ user: await accounts.get(params.id) }));
  http.guarded(userRoutes.create, async ({ body }, { caller }) => {
    const user = await accounts.create(body, caller.userId);
    return { user, userId: user.id };
  });
  http.guarded(userRoutes.setRoles, async ({ params, body }, { caller }) => ({
    user: await accounts.setRoles(params.id, body.roles, caller.userId),
  }));
  http.guarded(userRoutes.setPassword, ({ params, body }, { caller }) =>
    accounts.setPassword(params.id, body.password, caller.userId),
  );
  http.guarded(userRoutes.remove, ({ params }, { caller }) => accounts.remove(params.id, caller.userId));
}
