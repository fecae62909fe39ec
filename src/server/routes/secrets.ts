import { secretRoutes } from '../../contract/secrets.js';
import type { Database } from '../../database/database.js';
import type { EncryptionKeys } from '../../executions/secrets/encryption.js';
import { createSecret, listSecrets, readSecret, removeSecret, updateSecret } from '../../executions/secrets/secrets.js';
import type { Http } from '../http/routes.js';

/** Without encryption keys, routes that write or read a value answer 503. */
export function addSecretRoutes(
  http: Http,
  { database, encryption }: { database: Database; encryption: EncryptionKeys | undefined },
): void {
  http.guarded(secretRoutes.list, async () => {
    const secrets = await listSecrets(database);
    return { secrets, total: secrets.length };
  });
  http.guarded(secretRoutes.create, async ({ body }, { caller }) => {
    await createSecret(database, encryption, body, caller);
    return { name: body.name, message: 'Stored' };
  });
  http.guarded(secretRoutes.get, async ({ params }, { caller, response }) => {
    response.setHeader('Cache-Control', 'no-store');
    return { secret: await readSecret(database, encryption, params.name, caller) };
  });
  http.guarded(secretRoutes.update, async ({ params, body }, { caller }) => {
    await updateSecret(database, encryption, params.name, body, caller);
    return { name: params.name, message: 'Changed' };
  });
  http.guarded(secretRoutes.remove, async ({ params }) => {
    await removeSecret(database, params.name);
    return { name: params.name, message: 'Removed' };
  });
}
