import { claimApiKey, createApiKeyUser, listApiKeyUsers, revokeApiKeyUser } from '../../accounts/api-keys.js';
import { apiKeyUserRoutes } from '../../contract/api-key-users.js';
import type { Database } from '../../database/database.js';
import type { Http } from '../http/routes.js';

export function addApiKeyUserRoutes(http: Http, database: Database): void {
  http.guarded(apiKeyUserRoutes.list, async () => ({ users: await listApiKeyUsers(database) }));
  http.guarded(apiKeyUserRoutes.create, ({ body }, { caller }) =>
    createApiKeyUser(database, body.email, body.role, caller.userId),
  );
  http.guarded(apiKeyUserRoutes.revoke, async ({ body }, { caller }) => {
    await revokeApiKeyUser(database, body.email, caller.userId);
    return { email: body.email, message: 'Revoked every API key of this account' };
  });
  http.open(apiKeyUserRoutes.claim, ({ params }) => claimApiKey(database, params.token));
}
