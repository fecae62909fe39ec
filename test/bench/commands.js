// Measures the start-up of commands and of the local system.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { percentile } from './http.js';
import { program, root, start } from './system.js';

/** Creates an oclif program with one command, as the program to compare with. */
function oneCommandProgram() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'reefguide-oclif-'));
  mkdirSync(path.join(folder, 'bin'));
  mkdirSync(path.join(folder, 'commands'));
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  const oclif = { bin: 'one', dirname: 'one', commands: './commands', plugins: ['@oclif/plugin-help'] };
  writeFileSync(
    path.join(folder, 'package.json'),
    JSON.stringify({ name: 'one', version: '1.0.0', type: 'module', oclif }),
  );
  writeFileSync(
    path.join(folder, 'commands/hello.js'),
    `import { Command } from '@oclif/core';\nexport default class Hello extends Command {\n  static description = 'Say hello.';\n  async run() { this.log('hello'); }\n}\n`,
  );
  const run = path.join(folder, 'bin/run.js');
  writeFileSync(run, `import { execute } from '@oclif/core';\nawait execute({ dir: import.meta.url });\n`);
  chmodSync(run, 0o755);
  return { run, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function milliseconds(file, args) {
  const began = performance.now();
  const { status } = spawnSync(process.execPath, [file, ...args], { stdio: 'ignore' });
  if (status !== 0) throw new Error(`${args.join(' ')} exited with ${status}`);
  return performance.now() - began;
}

/** Returns medians in milliseconds; programs alternate, so that both meet the same load. */
export function startUp(rounds = 15) {
  const other = oneCommandProgram();
  const runs = { version: [], help: [], otherVersion: [], otherHelp: [] };
  for (let n = 0; n < rounds; n += 1) {
    runs.version.push(milliseconds(program, ['--version']));
    runs.otherVersion.push(milliseconds(other.run, ['--version']));
    runs.help.push(milliseconds(program, ['jobs', 'list', '--help']));
    runs.otherHelp.push(milliseconds(other.run, ['hello', '--help']));
  }
  other.remove();
  return Object.fromEntries(Object.entries(runs).map(([name, values]) => [name, percentile(values, 0.5)]));
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Returns the seconds until `dev` is ready, in a new directory and at the second start. */
export async function devReady() {
  const home = mkdtempSync(path.join(os.tmpdir(), 'reefguide-dev-'));
  const seconds = [];
  for (let n = 0; n < 2; n += 1) {
    const ports = [await freePort(), await freePort(), await freePort()];
    const began = performance.now();
    const dev = start(
      [
        'dev',
        '--port',
        String(ports[0]),
        '--orchestrator-port',
        String(ports[1]),
        '--processor-port',
        String(ports[2]),
      ],
      { REEFGUIDE_HOME: home },
      (text) => text.includes('Ctrl+C stops everything'),
    );
    await dev.ready;
    seconds.push((performance.now() - began) / 1000);
    await dev.stop();
  }
  rmSync(home, { recursive: true, force: true });
  return { first: seconds[0], later: seconds[1] };
}
