// Loads the fakes of the tests, which are TypeScript, for the benchmarks.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Returns the module of test/support/fakes with this name. */
export async function loadFake(name) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../support/fakes/${name}.ts`, import.meta.url))],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}
