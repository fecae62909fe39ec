import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { SetupError } from '../../contract/errors.js';
import { inspect } from './files.js';
import { rememberFile, toWrite, type Write } from './plan.js';

/** Where the configuration comes from: a repository to clone, or a folder that holds one already. */
export type Source = { kind: 'clone'; target: string } | { kind: 'folder'; folder: string };

const rememberedSchema = z.looseObject({
  configRepository: z.string().optional(),
  configRepositoryFolder: z.string().optional(),
});
/** `env.json`, with the fields of others. */
export type Remembered = z.infer<typeof rememberedSchema>;

/** What `env.json` in `root` remembers; nothing when it is not there. A SetupError when it is no JSON object. */
export async function readRemembered(root: string): Promise<Remembered> {
  const text = await readFile(path.join(root, rememberFile), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw new SetupError(`Cannot read ${rememberFile}: ${error.code}`);
  });
  try {
    return rememberedSchema.parse(JSON.parse(text));
  } catch {
    throw new SetupError(`${rememberFile} is no JSON object that this command can read`, {
      hint: 'Correct it, or move it away.',
    });
  }
}

/** The source that the flags name, or else the remembered one. */
export function chooseSource(
  flags: { target?: string | undefined; repoDir?: string | undefined; branch?: string | undefined },
  remembered: Remembered,
): Source {
  if (flags.target !== undefined) return { kind: 'clone', target: flags.target };
  const folder = flags.repoDir ?? (remembered.configRepository ? undefined : remembered.configRepositoryFolder);
  if (folder) {
    if (flags.branch === undefined) return { kind: 'folder', folder };
    throw new SetupError(`--branch is for a repository that is cloned, and ${folder} is a folder`, {
      hint: 'Check the branch out there, or name the repository with --target.',
    });
  }
  if (remembered.configRepository) return { kind: 'clone', target: remembered.configRepository };
  throw new SetupError('No configuration repository is known here', {
    hint: `Name one with --target; ${rememberFile} remembers it.`,
  });
}

/** The write that makes `env.json` remember the repository, other fields kept; undefined when it does already. */
export async function rememberWrite(
  root: string,
  remembered: Remembered,
  source: Source,
  shown: string,
): Promise<Write | undefined> {
  const { configRepository, configRepositoryFolder, ...others } = remembered;
  const known = source.kind === 'clone' ? configRepository : configRepositoryFolder;
  const other = source.kind === 'clone' ? configRepositoryFolder : configRepository;
  if (known === shown && other === undefined) return undefined;
  const there = await inspect(root, rememberFile);
  if (there.kind !== 'none' && there.kind !== 'file') throw new SetupError(`${rememberFile} is no ordinary file`);
  const field = source.kind === 'clone' ? { configRepository: shown } : { configRepositoryFolder: shown };
  const content = Buffer.from(`${JSON.stringify({ ...others, ...field }, null, 2)}\n`);
  const mode = there.kind === 'file' && there.mode !== undefined ? there.mode & 0o777 : 0o644;
  return toWrite({ path: rememberFile, content, mode }, there);
}
