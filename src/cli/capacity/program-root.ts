import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Directory of the installed package, with `bin/` and `examples/`. */
export const programRoot = fileURLToPath(new URL('../../..', import.meta.url));

export const exampleWorkersFile = path.join(programRoot, 'examples/workers/workers.json');
