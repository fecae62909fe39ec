import { rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readJson, savePrivateFile } from '../../platform/files.js';

const account = { api: z.string(), email: z.string() };
const schema = z.union([
  z.object({ ...account, refreshToken: z.string() }),
  z.object({ ...account, apiKey: z.string() }),
]);

/** A saved login: a refresh token from `reefguide login`, or an API key from `reefguide claim`. Never a password. */
export type Profile = z.infer<typeof schema>;

const getPath = (directory: string) => path.join(directory, 'profile.json');

export const readProfile = (directory: string): Promise<Profile | undefined> =>
  readJson(getPath(directory), schema).catch(() => undefined);

export const saveProfile = (directory: string, profile: Profile): Promise<void> =>
  savePrivateFile(getPath(directory), `${JSON.stringify(profile, null, 2)}\n`);

export const removeProfile = (directory: string): Promise<void> => rm(getPath(directory), { force: true });
