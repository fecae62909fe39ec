import path from 'node:path';
import { z } from 'zod';
import { SetupError } from '../../contract/errors.js';
import { readIfExists } from '../../platform/files.js';
import { errorCode } from '../../platform/system-errors.js';
import { inspectTarget } from './files.js';
import { rememberedFile } from './paths.js';
import { toWrite } from './plan.js';

/** Source of the configuration: a repository to clone, or a directory with a repository. */
export type Source = { kind: 'clone'; target: string } | { kind: 'directory'; directory: string };

const rememberedSchema = z.looseObject({
  configRepository: z.string().optional(),
  configRepositoryFolder: z.string().optional(),
});
/** Content of `env.json`, which may have other fields. */
export type Remembered = z.infer<typeof rememberedSchema>;

/** Reads `env.json` in `root`; a missing file remembers nothing. Throws a SetupError for another content than an object. */
export async function readRemembered(root: string): Promise<Remembered> {
  const text = await readIfExists(path.join(root, rememberedFile)).catch((error: unknown) => {
    throw new SetupError(`Cannot read ${rememberedFile}: ${errorCode(error)}`);
  });
  try {
    return rememberedSchema.parse(JSON.parse(text ?? '{}'));
  } catch {
    throw new SetupError(`Invalid ${rememberedFile}: expected a JSON object`, {
      hint: 'Correct the file, or move it away.',
    });
  }
}

/** Returns the source of the flags, or else the remembered source. */
export function chooseSource(
  flags: { target?: string | undefined; repoDir?: string | undefined; branch?: string | undefined },
  remembered: Remembered,
): Source {
  if (flags.target !== undefined) return { kind: 'clone', target: flags.target };
  const directory = flags.repoDir ?? (remembered.configRepository ? undefined : remembered.configRepositoryFolder);
  if (directory) {
    if (flags.branch === undefined) return { kind: 'directory', directory };
    throw new SetupError(`Cannot use --branch with the directory ${directory}, which is not cloned`, {
      hint: 'Check out the branch there, or name the repository with --target.',
    });
  }
  if (remembered.configRepository) return { kind: 'clone', target: remembered.configRepository };
  throw new SetupError('No configuration repository is remembered in this directory', {
    hint: `Name a repository with --target; ${rememberedFile} then remembers it.`,
  });
}

/** Returns the write that lets `env.json` remember the repository and keep its other fields; undefined for no change. */
export async function planRememberedWrite(root: string, remembered: Remembered, source: Source, shown: string) {
  const { configRepository, configRepositoryFolder, ...others } = remembered;
  const current = source.kind === 'clone' ? configRepository : configRepositoryFolder;
  const other = source.kind === 'clone' ? configRepositoryFolder : configRepository;
  if (current === shown && other === undefined) return undefined;
  const target = await inspectTarget(root, rememberedFile);
  if (target.kind !== 'none' && target.kind !== 'file') throw new SetupError(`${rememberedFile} is not a regular file`);
  const field = source.kind === 'clone' ? { configRepository: shown } : { configRepositoryFolder: shown };
  const content = Buffer.from(`${JSON.stringify({ ...others, ...field }, null, 2)}\n`);
  const mode = target.kind === 'file' && target.mode !== undefined ? target.mode & 0o777 : 0o644;
  return toWrite({ path: rememberedFile, content, mode }, target);
}
