// Tests subscribers of logs that are slow, malicious or half disconnected.
import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { type LiveLogsServer, startLiveLogs } from '../../../support/live-logs.js';
import { startTestService, type TestCaller, type TestService } from '../../../support/service.js';
import { listenTo } from '../../../support/sockets.js';
import { until } from '../../../support/until.js';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
const memory = () => {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1_048_576;
};

let system: TestService;
let developer: TestCaller;
let live: LiveLogsServer;
beforeAll(async () => {
  system = await startTestService();
  await system.service.seed();
  developer = await system.as('DEVELOPER');
  live = await startLiveLogs(system, { stalledMs: 2_000 });
});
afterAll(async () => {
  await live.close();
  await system.close();
});

const run = async (command: string): Promise<string> =>
  (await developer.post('/api/v1/run', { command })).body.execution_id;
const stop = (id: string) => developer.delete(`/api/v1/executions/${id}`);
const readState = async (id: string) => (await developer.get(`/api/v1/executions/${id}/status`)).body;
/** Returns a URL that opens the log of an execution at the server of live logs. */
const address = async (id: string) => {
  const { rows } = await system.database.pool.query('SELECT status FROM "Execution" WHERE execution_id = $1', [id]);
  expect(rows).toHaveLength(1);
  return live.toOwnUrl((await developer.get(`/api/v1/executions/${id}/logs`)).body.websocket_url);
};

describe('the log socket with a subscriber that stops reading', () => {
  it('takes bounded memory, disconnects the subscriber as slow, and resumes at the last event', async () => {
    const id = await run(
      `line=$(head -c 990 /dev/zero | tr '\\0' x); while [ ! -e go ]; do sleep 0.02; done
       yes "$line" | head -n 50000 | cat -n; while [ ! -e end ]; do sleep 0.02; done`,
    );
    const [first, rest] = [await address(id), await address(id)];
    const slow = listenTo(first);
    await until(() => slow.lines().length === 1);
    slow.socket.pause();
    const before = memory();
    await run(`touch ${system.home}/executions/${id}/workspace/go`);
    let most = 0;
    const measure = () => {
      most = Math.max(most, memory() - before);
    };
    const isDisconnected = () => {
      measure();
      return live.feeds.countSubscribers() === 0;
    };
    await until(isDisconnected, { timeoutMs: 30_000, everyMs: 250 });
    slow.socket.resume();
    expect(await slow.closed).toEqual({ code: 1013, reason: 'slow_consumer' });
    expect(slow.messages.at(-1)).toEqual({ type: 'disconnect', reason: 'slow_consumer' });
    const isStored = async () => {
      measure();
      const text = 'SELECT count(*)::int AS n FROM "LogEvent" WHERE execution_id = $1';
      return (await system.database.pool.query(text, [id])).rows[0].n === 50_001;
    };
    await until(isStored, { timeoutMs: 40_000, everyMs: 250 });
    // Counts received lines, lines to be stored, the tail and the buffers of sockets: 32 MB as a rule.
    expect(most).toBeLessThan(60);
    const seen = slow.messages.at(-2);
    const after = listenTo(`${rest}&last_event_id=${seen?.type === 'log' ? seen.event_id : ''}`);
    await until(() => slow.lines().length + after.lines().length === 50_001, { timeoutMs: 20_000 });
    const numbers = [...slow.lines(), ...after.lines()].slice(1).map((line) => Number.parseInt(line, 10));
    expect(numbers.findIndex((number, n) => number !== n + 1)).toBe(-1);
    expect(slow.lines().length).toBeLessThan(30_000);
    await run(`touch ${system.home}/executions/${id}/workspace/end`);
    expect(await after.closed).toEqual({ code: 1000, reason: 'execution_completed' });
  }, 90_000);

  it('sends the buffered rest after the end of the execution', async () => {
    const server = await startLiveLogs(system);
    const id = await run('sleep 300');
    const slow = listenTo(server.toOwnUrl((await developer.get(`/api/v1/executions/${id}/logs`)).body.websocket_url));
    await until(() => slow.lines().length === 1);
    slow.socket.pause();
    const [socket] = server.sockets;
    const events = Array.from({ length: 60 }, (_, n) => ({
      event_id: `${n}`,
      timestamp: n,
      message: 'x'.repeat(1_000),
    }));
    let stored = 1;
    // Fills the buffers of the kernel on both sides.
    while ((socket?.writableLength ?? 0) < 60_000) {
      const written = (socket?.bytesWritten ?? 0) + 60_000;
      const batch = `${id}-${stored}`;
      await server.logs.append(
        id,
        events.map((event) => ({ ...event, event_id: `${batch}-${event.event_id}` })),
      );
      stored += events.length;
      await until(() => (socket?.bytesWritten ?? 0) >= written);
    }
    await stop(id);
    await until(async () => (await readState(id)).completed_at);
    const { rows } = await system.database.pool.query(
      'SELECT count(*)::int AS n FROM "LogEvent" WHERE execution_id = $1',
      [id],
    );
    await until(() => server.feeds.countSubscribers() === 0);
    // Waits longer than a stopping server waits for its subscribers.
    const over = Date.now() + 2_500;
    await until(() => Date.now() > over);
    slow.socket.resume();
    expect(await slow.closed).toEqual({ code: 1000, reason: 'execution_completed' });
    expect(slow.lines()).toHaveLength(rows[0].n);
    await server.close();
  });

  it('disconnects a subscriber whose pings would fill the buffer with pongs', async () => {
    const id = await run('sleep 300');
    const flood = listenTo(await address(id));
    await until(() => flood.lines().length === 1);
    flood.socket.pause();
    const payload = Buffer.alloc(125);
    await until(
      () => {
        for (let n = 0; n < 2_000 && flood.socket.readyState === WebSocket.OPEN; n += 1) flood.socket.ping(payload);
        return live.feeds.countSubscribers() === 0;
      },
      { timeoutMs: 20_000 },
    );
    flood.socket.terminate();
    await stop(id);
  });

  it('answers pings', async () => {
    const id = await run('sleep 300');
    const listener = listenTo(await address(id));
    await until(() => listener.lines().length === 1);
    const answer = new Promise<string>((resolve) => listener.socket.once('pong', (data) => resolve(String(data))));
    listener.socket.ping('a payload');
    expect(await answer).toBe('a payload');
    await stop(id);
    await listener.closed;
  });
});

/** Sends bytes and returns the answer up to the end by the server; never closes this side. */
const exchange = (url: string, bytes: string | Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? resolve(text) : reject(error)));
    socket.on('end', () => resolve(text));
    socket.write(bytes);
  });
const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const upgrade = `Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}`;
const parseStatus = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

describe('the log socket with malformed requests', () => {
  it.each([
    ['no token', '/ws', 401],
    ['a malformed token', '/ws?token=%', 401],
    ['a token with NUL', '/ws?token=%00&last_event_id=%00', 401],
    ['a thousand tokens', `/ws?${'token=x&'.repeat(1_000)}`, 401],
    ['a URL longer than the header limit', `/ws?${'token=x&'.repeat(4_000)}`, 431],
    ['no path', '//', 404],
    ['an invalid URL', 'http://[/', 404],
    ['another host', '//ws?token=x', 404],
    ['another path', '/api/health', 404],
    ['a path with ..', '/ws/../..//%2e%2e', 404],
  ])('refuses %s', async (_, target, status) => {
    for (const { url } of [system, live])
      expect(parseStatus(await exchange(url, `GET ${target} HTTP/1.1\r\n${upgrade}\r\n`))).toBe(status);
  });

  it.each([
    ['an invalid last_event_id', 'GET', '&last_event_id=%00', upgrade, 400],
    ['another method', 'POST', '', upgrade, 405],
    ['no WebSocket key', 'GET', '', upgrade.replace(/Sec-WebSocket-Key.*\r\n/, ''), 400],
    ['an invalid version', 'GET', '', upgrade.replace('13', '99'), 400],
  ])('refuses a valid token with %s', async (_, method, more, headers, status) => {
    const id = await run('sleep 300');
    const { pathname, search } = new URL(await address(id));
    const answer = await exchange(live.url, `${method} ${pathname}${search}${more} HTTP/1.1\r\n${headers}\r\n`);
    expect(parseStatus(answer)).toBe(status);
    expect(live.feeds.countSubscribers()).toBe(0);
    await stop(id);
  });

  it('answers 404 without an upgrade', async () => {
    expect((await fetch(`${system.url}/ws?token=x`)).status).toBe(404);
  });

  it.each([
    ['garbage', Buffer.from('ffffffffffffffffffffffff', 'hex')],
    ['an endless message', Buffer.concat([Buffer.from('82ff00000000ffffffff00000000', 'hex'), Buffer.alloc(100_000)])],
    ['too long a message', Buffer.concat([Buffer.from('82fe2000', 'hex'), Buffer.alloc(8_196)])],
    ['a message without a mask', Buffer.from('820161', 'hex')],
  ])('closes a connection that sends %s, and no other', async (_, bytes) => {
    const id = await run('sleep 300');
    const [listener, url] = [listenTo(await address(id)), new URL(await address(id))];
    await until(() => listener.lines().length === 1);
    const hello = Buffer.from(`GET ${url.pathname}${url.search} HTTP/1.1\r\n${upgrade}\r\n`);
    expect(parseStatus(await exchange(live.url, Buffer.concat([hello, bytes])))).toBe(101);
    await until(() => live.feeds.countSubscribers() === 1);
    await stop(id);
    expect((await listener.closed).code).toBe(1000);
  });

  it('ignores messages of clients', async () => {
    const id = await run('sleep 300');
    const listener = listenTo(await address(id));
    await until(() => listener.lines().length === 1);
    for (const text of ['', '{}', 'x'.repeat(4_096), '{"type":"ready"}']) listener.socket.send(text);
    await stop(id);
    expect(await listener.closed).toEqual({ code: 1000, reason: 'execution_completed' });
    expect((await readState(id)).status).toBe('STOPPED');
  });
});

describe('the log socket of a stopping server', () => {
  it('does not wait for a refused client that never closes the connection', async () => {
    const own = await startLiveLogs(system, { closeWithinMs: 3_600_000 });
    expect(parseStatus(await exchange(own.url, `GET /ws HTTP/1.1\r\n${upgrade}\r\n`))).toBe(401);
    await own.close();
  });

  it('does not wait for a subscriber that does not answer the close', async () => {
    const own = await startLiveLogs(system, { closeWithinMs: 3_600_000 });
    const id = await run('sleep 300');
    const listener = listenTo(own.toOwnUrl(await address(id)));
    await until(() => listener.lines().length === 1);
    listener.socket.pause();
    await own.close();
    listener.socket.terminate();
    await stop(id);
  });
});
