import { type DatabaseAddress, findDatabase, toDatabaseError } from '../../database/connect.js';
import { databaseEnvironment, parseEnvironment } from '../../environment/server.js';
import { homeDirectory } from '../../platform/home.js';

/** Runs `work` with the database that the environment names, or the embedded one, and gives it back afterwards. */
export async function withDatabase<T>(
  tell: (line: string) => void,
  work: (address: DatabaseAddress) => Promise<T>,
): Promise<T> {
  const environment = parseEnvironment(databaseEnvironment, process.env);
  const address = await findDatabase(environment, homeDirectory(), tell);
  try {
    return await work(address);
  } catch (error) {
    throw toDatabaseError(address.directUrl, error);
  } finally {
    await address.release();
  }
}
