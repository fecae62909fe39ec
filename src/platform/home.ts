import path from 'node:path';

/** Returns the directory of the local system's state: `REEFGUIDE_HOME`, or `.reefguide` in the working directory. */
export const homeDirectory = (env: NodeJS.ProcessEnv = process.env): string =>
  path.resolve(env.REEFGUIDE_HOME || '.reefguide');
