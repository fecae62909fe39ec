import {
  createUser,
  getUser,
  listUsers,
  readAuditLog,
  removeUser,
  setPassword,
  setRoles,
} from '../../accounts/users.js';
import { userRoutes } from '../../contract/auth.js';
import type { Database } from '../../database/database.js';
import type { Http } from '../http/routes.js';

export function addUserRoutes(http: Http, database: Database): void {
  http.guarded(userRoutes.list, async () => ({ users: await listUsers(database) }));
  http.guarded(userRoutes.log, ({ query }) => readAuditLog(database, query));
  http.guarded(userRoutes.get, async ({ params }) => ({ user: await getUser(database, params.id) }));
  http.guarded(userRoutes.create, async ({ body }, { caller }) => {
    const user = await createUser(database, body, caller.userId);
    return { user, userId: user.id };
  });
  http.guarded(userRoutes.setRoles, async ({ params, body }, { caller }) => ({
    user: await setRoles(database, params.id, body.roles, caller.userId),
  }));
  http.guarded(userRoutes.setPassword, ({ params, body }, { caller }) =>
    setPassword(database, params.id, body.password, caller.userId),
  );
  http.guarded(userRoutes.remove, ({ params }, { caller }) => removeUser(database, params.id, caller.userId));
}
