import { readLocalCredentials, toServiceAccounts } from '../accounts/local-credentials.js';
import { readServiceAccounts, seedApiKey, seedServiceAccounts } from '../accounts/service-accounts.js';
import type { Database } from '../database/database.js';
import type { ServerEnvironment } from '../environment/server.js';

/**
 * Seeds the service accounts of the environment. With `home`, the directory of the local system, also the accounts of
 * `credentials.json` with roles absent from the environment, and the administrator's API key.
 */
export async function seedAccounts(database: Database, environment: ServerEnvironment, home: string | undefined) {
  const configured = readServiceAccounts(environment);
  const credentials = home === undefined ? undefined : await readLocalCredentials(home);
  const local = credentials ? toServiceAccounts(credentials) : [];
  const accounts = [...configured, ...local.filter(({ role }) => !configured.some((account) => account.role === role))];
  await seedServiceAccounts(database, accounts);
  const admin = accounts.find(({ role }) => role === 'ADMIN');
  if (credentials && admin) await seedApiKey(database, admin.email, credentials.apiKey, 'ADMIN');
  return { accounts, credentials };
}
