import { accountsOfCredentials, type LocalCredentials, localCredentials } from '../accounts/local-credentials.js';
import { accountsOf, type ServiceAccount, seedAccounts, seedApiKey } from '../accounts/service-accounts.js';
import type { Database } from '../database/database.js';
import type { ServerEnvironment } from '../environment/server.js';

export interface Seeded {
  accounts: ServiceAccount[];
  /** Of the local system, when there is one. */
  credentials: LocalCredentials | undefined;
}

/**
 * Makes the service accounts of the environment and, for the local system of `home`, those of its credentials file that
 * the environment does not name. `home` undefined: the database is not the local system's.
 */
export async function seedAll(
  database: Database,
  environment: ServerEnvironment,
  home: string | undefined,
): Promise<Seeded> {
  const given = accountsOf(environment);
  const credentials = home === undefined ? undefined : await localCredentials(home);
  const local = credentials ? accountsOfCredentials(credentials) : [];
  const accounts = [...given, ...local.filter(({ role }) => !given.some((account) => account.role === role))];
  await seedAccounts(database, accounts);
  const admin = accounts.find(({ role }) => role === 'ADMIN');
  if (credentials && admin) await seedApiKey(database, admin.email, credentials.apiKey, 'ADMIN');
  return { accounts, credentials };
}
