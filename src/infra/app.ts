// Runs as the app of `npx cdk`: reads the configuration of CONFIG_FILE_NAME, bundles the Lambda functions, writes the template.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from '../contract/errors.js';
import { loadDeployment } from '../deployment/load.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));

async function main(): Promise<void> {
  const deployment = await loadDeployment(process.env.CONFIG_FILE_NAME, path.join(repository, 'configs'));
  // Loads CDK only after the configuration has been checked, because that takes seconds.
  const [{ buildBundle }, { synthesise }] = await Promise.all([import('./bundle.js'), import('./synth.js')]);
  const bundle = await mkdtemp(path.join(tmpdir(), 'reefguide-bundle-'));
  try {
    await buildBundle({ repository, directory: bundle });
    // Copies the bundle into cdk.out, so the temporary directory can go afterwards.
    synthesise({ deployment, bundle, repository });
  } finally {
    await rm(bundle, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.hint ? `${error.message}\n${error.hint}` : error.message);
  process.exitCode = 1;
});
