import { spawn, spawnSync } from 'node:child_process';
import { freePort } from './program.js';
import { until } from './until.js';

export interface Moto {
  url: string;
  /** What a command or a client needs to talk to it. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** Whether the program `moto_server` is on this machine. */
export const hasMoto = () => spawnSync('moto_server', ['--help'], { stdio: 'ignore' }).status === 0;

/** AWS in memory, over the wire: https://docs.getmoto.org. Its tasks stay as they are until they are stopped. */
export async function startMoto(): Promise<Moto> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await until(
    () =>
      fetch(`${url}/moto-api/data.json`).then(
        (answer) => answer.ok,
        () => false,
      ),
    {
      what: 'moto_server to answer',
      timeoutMs: 30_000,
      everyMs: 100,
    },
  );
  await fetch(`${url}/moto-api/state-manager/set-transition`, {
    method: 'POST',
    body: JSON.stringify({ model_name: 'ecs::task', transition: { progression: 'manual', times: 1_000_000 } }),
  });
  return {
    url,
    env: {
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: 'AKIATEST',
      AWS_SECRET_ACCESS_KEY: 'a secret of the tests',
      AWS_REGION: 'ap-southeast-2',
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
