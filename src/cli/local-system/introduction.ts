import path from 'node:path';
import type { LocalSystem } from './start.js';

/** Describes the running local system: endpoints, accounts, and commands to try with `program`, e.g. `npx reefguide`. */
export function describeLocalSystem(
  { endpoints, credentials, groups }: LocalSystem,
  { home, logFile, program }: { home: string; logFile: string; program: string },
): string {
  const credentialsFile = path.relative(process.cwd(), path.join(home, 'credentials.json'));
  return `
  API              ${endpoints.api}/api        (description: ${endpoints.api}/api/docs)
  Orchestrator     ${endpoints.orchestrator}/api/v1
  Event processor  ${endpoints.processor}
  Workers          ${groups.length > 0 ? groups.join(', ') : 'none (no capacity manager)'}

  Administrator    ${credentials.admin.email}; passwords and API key in ${credentialsFile}
  Log              ${path.relative(process.cwd(), logFile)}

  Try, in another terminal:
    ${program} jobs submit TEST --input '{"id": 1}' --watch
    ${program} jobs submit SUITABILITY_ASSESSMENT --input '{"region":"Townsville-Whitsunday","reef_type":"slopes","x_dist":100,"y_dist":100}' --watch
    ${program} jobs list
    ${program} run 'echo hello from $(uname -s)'
    ${program} capacity status

  Ctrl+C stops everything.`;
}
