// Measures ad hoc commands: start-up, lines a second, subscribers, events.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import pg from 'pg';
import { WebSocket } from 'ws';
import { createClient, race } from './http.js';
import { residentMb } from './system.js';

const percentile = (values, share) => values.sort((a, b) => a - b)[Math.ceil(share * values.length) - 1];
const run = async ({ admin }, command, more = {}) => {
  const { status, body } = await admin.call('POST', '/api/v1/run', { command, ...more });
  if (status !== 202) throw new Error(`POST /run answered ${status}: ${JSON.stringify(body)}`);
  return body;
};
const statusOf = async ({ admin }, id) => (await admin.call('GET', `/api/v1/executions/${id}/status`)).body;
const untilEnded = async (system, id) => {
  for (;;) {
    const state = await statusOf(system, id);
    if (state.completed_at) return state;
    await wait(50);
  }
};
const query = async ({ databaseUrl }, text, values = []) => {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
};

/** Returns the p99 over `count` runs of the milliseconds until POST /run answers and until a subscriber has the first line. */
export async function firstLine(system, count = 200) {
  const answered = [];
  const heard = [];
  for (let n = 0; n < count; n += 1) {
    const began = performance.now();
    const { execution_id, websocket_url } = await run(system, 'echo hello');
    answered.push(performance.now() - began);
    await new Promise((resolve, reject) => {
      const socket = new WebSocket(websocket_url);
      socket.once('message', () => {
        heard.push(performance.now() - began);
        socket.terminate();
        resolve();
      });
      socket.once('error', reject);
    });
    await untilEnded(system, execution_id);
  }
  return { answered: percentile(answered, 0.99), heard: percentile(heard, 0.99) };
}

/** Returns stored lines a second of one command, `right` when each was stored once and in order, and the added memory in MB. */
export async function manyLines(system, count = 200_000) {
  const before = residentMb(system.pid);
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, residentMb(system.pid));
  }, 100);
  const began = performance.now();
  const { execution_id, websocket_url } = await run(
    system,
    `seq -f 'line %.0f of a command that prints a lot' ${count}`,
  );
  let heard = 0;
  const socket = new WebSocket(websocket_url);
  socket.on('message', () => {
    heard += 1;
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await untilEnded(system, execution_id);
  const seconds = (performance.now() - began) / 1000;
  await closed;
  clearInterval(watch);
  const [{ stored, right }] = await query(
    system,
    `SELECT count(*)::int AS stored, bool_and(message = 'line ' || n || ' of a command that prints a lot') AS right
     FROM (SELECT message, row_number() OVER (ORDER BY id) - 1 AS n FROM "LogEvent" WHERE execution_id = $1) l WHERE n > 0`,
    [execution_id],
  );
  return {
    perSecond: count / seconds,
    right: right && stored === count && heard === count + 2,
    addedMb: peak - before,
  };
}

/** Returns the p99 of milliseconds from print to each subscriber, and the number of subscribers that got every line. */
export async function manySubscribers(system, subscribers = 500, seconds = 10) {
  const lines = seconds * 100;
  const program = `let n = 0; const t = setInterval(() => { console.log('@' + Date.now()); if (++n === ${lines}) clearInterval(t); }, 10)`;
  const { execution_id } = await run(system, `mkfifo go; read x < go; node -e "${program}"`);
  const delays = [];
  let whole = 0;
  const listeners = [];
  const opened = [];
  for (let n = 0; n < subscribers; n += 1) {
    const { body } = await system.admin.call('GET', `/api/v1/executions/${execution_id}/logs`);
    listeners.push(
      new Promise((resolve, reject) => {
        const socket = new WebSocket(body.websocket_url, { perMessageDeflate: false });
        opened.push(new Promise((open) => socket.once('open', open)));
        let count = 0;
        socket.on('message', (data) => {
          const text = data.toString('latin1');
          const at = text.indexOf('"@');
          if (at === -1) return;
          delays.push(Date.now() - Number(text.slice(at + 2, at + 15)));
          count += 1;
        });
        socket.once('close', () => {
          if (count === lines) whole += 1;
          resolve();
        });
        socket.once('error', reject);
      }),
    );
  }
  await Promise.all(opened);
  await run(system, `echo > ${system.home}/executions/${execution_id}/workspace/go`);
  await Promise.all(listeners);
  return { p99: percentile(delays, 0.99), whole };
}

const arn = (id) => `arn:aws:ecs:ap-southeast-2:123456789012:task/reefguide/${id}`;
const stopped = (id) => ({
  'detail-type': 'ECS Task State Change',
  detail: { taskArn: arn(id), lastStatus: 'STOPPED', containers: [{ name: 'main', exitCode: 3 }] },
});
const logged = (id) => {
  const logEvents = [1, 2].map((n) => ({ id: `${id}-${n}`, timestamp: Date.now(), message: `line ${n}` }));
  const batch = { messageType: 'DATA_MESSAGE', logStream: `execution/main/${id}`, logEvents };
  return { awslogs: { data: gzipSync(JSON.stringify(batch)).toString('base64') } };
};

/** Sends the end and two lines of each execution as events: every event twice, in random order, 50 at once. */
async function sendEvents(system, executions) {
  const ids = Array.from({ length: executions }, () => randomBytes(16).toString('hex'));
  await query(
    system,
    `INSERT INTO "Execution" (execution_id, owned_by, command, image_id, env, secrets, status, timeout, task_arn,
       created_by_request_id, modified_by_request_id, compute_platform)
     SELECT id, '{}', 'true', 'x', '{}', '{}', 'RUNNING', 60, $2 || id, '', '', 'bench' FROM unnest($1::text[]) AS id`,
    [ids, arn('')],
  );
  const events = ids.flatMap((id) => [logged(id), stopped(id)]);
  const queue = [...events, ...events]
    .map((event) => [Math.random(), event])
    .sort(([a], [b]) => a - b)
    .map(([, event]) => event);
  const sent = queue.length;
  const client = createClient(system.processorUrl, {}, 50);
  let applied = 0;
  const seconds = await race(50, async () => {
    const event = queue.pop();
    if (!event) return false;
    const { status, body } = await client.call('POST', '/process', event);
    if (status === 200 && body.applied) applied += 1;
    return true;
  });
  client.close();
  const [{ ended, stored }] = await query(
    system,
    `SELECT count(*) FILTER (WHERE status = 'FAILED' AND exit_code = 3)::int AS ended,
       sum((SELECT count(*) FROM "LogEvent" l WHERE l.execution_id = x.execution_id))::int AS stored
     FROM "Execution" x WHERE execution_id = ANY ($1)`,
    [ids],
  );
  const right = applied === 2 * executions && ended === executions && stored === 2 * executions;
  return { perSecond: sent / seconds, right };
}

/** Returns events a second at /process when each arrives twice, `right` when each was applied once. */
export async function manyEvents(system) {
  await sendEvents(system, 250);
  return sendEvents(system, 2_500);
}

/** Returns the seconds of `count` commands started at once, how many succeeded, and leaked processes and descriptors. */
export async function manyCommands(system, count = 200) {
  const descriptors = () => readdirSync(`/proc/${system.pid}/fd`).length;
  const children = () => readFileSync(`/proc/${system.pid}/task/${system.pid}/children`, 'utf8').trim();
  const round = async () => {
    const began = performance.now();
    const started = await Promise.all(Array.from({ length: count }, () => run(system, 'true')));
    const ends = await Promise.all(started.map(({ execution_id }) => untilEnded(system, execution_id)));
    const seconds = (performance.now() - began) / 1000;
    await wait(500);
    return { seconds, succeeded: ends.filter(({ status }) => status === 'SUCCEEDED').length };
  };
  // The first round opens the connections to the database and those of the bench itself.
  await round();
  const before = descriptors();
  const { seconds, succeeded } = await round();
  return {
    seconds,
    succeeded,
    zombies: children() === '' ? 0 : children().split(' ').length,
    descriptors: descriptors() - before,
  };
}
