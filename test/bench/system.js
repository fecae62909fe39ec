// Starts a database and a `serve` process in a temporary directory.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from './http.js';

export const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
export const program = path.join(root, 'bin/run.js');

/** Returns the resident megabytes of a process, from /proc or ps. */
export function residentMb(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

export function start(args, env, isReady) {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ready = new Promise((resolve, reject) => {
    const read = (chunk) => {
      output += chunk;
      const found = isReady(output);
      if (found) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}:\n${output}`)));
  });
  const stop = async () => {
    if (child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  };
  return { child, ready, stop };
}

export async function startSystem() {
  const home = await mkdtemp(path.join(os.tmpdir(), 'reefguide-bench-'));
  const { acquireEmbeddedPostgres } = await import(`${root}/dist/database/embedded/acquire.js`);
  // The bench holds the database, so that the server can restart without losing data.
  const postgres = await acquireEmbeddedPostgres({ home });
  const serve = start(
    ['serve', '--port', '0', '--processor-port', '0'],
    { REEFGUIDE_HOME: home, LOG_LEVEL: 'info' },
    (text) => {
      const urls = [...text.matchAll(/"url":"(http:[^"]+)"/g)].map(([, url]) => url);
      return urls.length === 2 ? urls : undefined;
    },
  );
  const [url, processorUrl] = await serve.ready;
  const credentials = JSON.parse(await readFile(path.join(home, 'credentials.json'), 'utf8'));
  const client = async (who) => {
    const open = createClient(url, {}, 1);
    const { token } = await open.ok('POST', '/api/auth/login', credentials[who]);
    open.close();
    return createClient(url, { authorization: `Bearer ${token}` }, 4096);
  };
  const admin = await client('admin');
  return {
    url,
    processorUrl,
    home,
    credentials,
    databaseUrl: postgres.url,
    pid: serve.child.pid,
    admin,
    worker: await client('worker'),
    async stop() {
      await serve.stop();
      await postgres.release();
      await rm(home, { recursive: true, force: true });
    },
  };
}
