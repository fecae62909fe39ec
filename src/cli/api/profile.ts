import { rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readJson, savePrivateFile } from '../../platform/files.js';

const of = { api: z.string(), email: z.string() };
const profile = z.union([z.object({ ...of, refreshToken: z.string() }), z.object({ ...of, apiKey: z.string() })]);

/** Where and as whom `reefguide login` logged in (a refresh token, not the password), or `reefguide claim` (the key). */
export type Profile = z.infer<typeof profile>;

const fileIn = (folder: string) => path.join(folder, 'profile.json');

export const readProfile = (folder: string): Promise<Profile | undefined> =>
  readJson(fileIn(folder), profile).catch(() => undefined);

export const saveProfile = (folder: string, saved: Profile): Promise<void> =>
  savePrivateFile(fileIn(folder), `${JSON.stringify(saved, null, 2)}\n`);

export const removeProfile = (folder: string): Promise<void> => rm(fileIn(folder), { force: true });
