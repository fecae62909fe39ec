import { type DatabaseAddress, findDatabase, toDatabaseError } from '../../database/connect.js';
import { databaseEnvironment } from '../../environment/server.js';
import { parseEnvironment } from '../../environment/variables.js';
import { homeDirectory } from '../../platform/home.js';

/** Calls `work` with the database of the environment, or with the embedded one, and releases the database afterwards. */
export async function withDatabase<T>(
  report: (line: string) => void,
  work: (address: DatabaseAddress) => Promise<T>,
): Promise<T> {
  const environment = parseEnvironment(databaseEnvironment, process.env);
  const address = await findDatabase(environment, homeDirectory(), report);
  try {
    return await work(address);
  } catch (error) {
    throw toDatabaseError(address.directUrl, error);
  } finally {
    await address.release();
  }
}
