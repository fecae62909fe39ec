// Builds what changed, then runs the command line: `node scripts/run.js dev --port 5001`.
import './build.js';
import { execute } from '@oclif/core';

await execute({ dir: new URL('../bin/run.js', import.meta.url).href });
