// Compiles changed files of src/ into dist/ and writes oclif's manifest. `npm run types` checks the types.
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const source = path.join(root, 'src');
const target = path.join(root, 'dist');

const files = async (directory, ending) =>
  (await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)));

const modified = async (file) => (await stat(file).catch(() => undefined))?.mtimeMs ?? 0;

async function compile(swc) {
  const sources = (await files(source, '.ts')).filter((file) => !file.endsWith('.d.ts'));
  const expected = new Set(sources.map((file) => file.replace(/\.ts$/, '.js')));
  const stale = (await files(target, '.js')).filter((file) => !expected.has(file));
  await Promise.all(stale.map((file) => rm(path.join(target, file), { force: true })));
  const changed = await Promise.all(
    sources.map(async (file) => {
      const from = path.join(source, file);
      const to = path.join(target, file.replace(/\.ts$/, '.js'));
      if ((await modified(to)) > (await modified(from))) return false;
      const { code } = await swc.transformFile(from, {
        swcrc: false,
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript' },
          transform: { verbatimModuleSyntax: true },
        },
        module: { type: 'es6' },
      });
      await mkdir(path.dirname(to), { recursive: true });
      await writeFile(to, code);
      return true;
    }),
  );
  return stale.length > 0 || changed.includes(true);
}

async function writeManifest() {
  const { Plugin } = await import('@oclif/core');
  const file = path.join(root, 'oclif.manifest.json');
  await rm(file, { force: true });
  const plugin = new Plugin({ root, ignoreManifest: true, errorOnManifestCreate: true });
  await plugin.load();
  await writeFile(file, JSON.stringify(plugin.manifest));
}

let swc;
try {
  swc = await import('@swc/core');
} catch {
  if (!existsSync(target))
    console.error('reefguide: cannot build, because the development dependencies are not installed');
  process.exit(0);
}
const { generateClient } = await import('./generate-client.js');
generateClient();
const changed = await compile(swc);
if (changed || !existsSync(path.join(root, 'oclif.manifest.json'))) await writeManifest();
