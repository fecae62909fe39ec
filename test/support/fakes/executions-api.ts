// Serves the API of executions as far as clients that follow executions need, and fails as the test plans.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  type ExecutionState,
  type ExecutionStatus,
  hasEnded,
  type LogEvent,
  type RunBody,
} from '../../../src/contract/executions.js';

/** Plan of one connection: repeats so many old events, sends so many new events, then ends. */
export interface Act {
  repeats?: number;
  sends?: number;
  /** `hold` keeps the connection open until the execution ends. */
  ends: 'drop' | 'close' | 'slow_consumer' | 'server_stopping' | 'refuse' | 'unavailable' | 'hold';
}

export interface FakeExecution {
  state: ExecutionState;
  body: RunBody;
  events: LogEvent[];
  /** One for each connection in order. Later connections send everything and stay open until the end. */
  acts: Act[];
  /** `last_event_id` of each connection. */
  resumedFrom: (string | null)[];
  /** Number of connections on which the client sent `ready`. */
  ready: number;
  killed: boolean;
}

interface Plan {
  lines?: readonly string[];
  acts?: Act[];
  /** State after everything has been sent; undefined: the execution runs until killed. */
  end?: { status: ExecutionStatus; exitCode: number | null } | undefined;
}

export interface Answer {
  status: number;
  body?: unknown;
}

export const createEvent = (n: number, message = `line ${n}`): LogEvent => ({
  event_id: `event-${n}`,
  timestamp: Date.UTC(2026, 2, 1, 4, 5, n % 60),
  message,
});

export async function startFakeExecutionsApi() {
  const executions = new Map<string, FakeExecution>();
  const tokens = new Map<string, FakeExecution>();
  const sockets = new Map<FakeExecution, Set<WebSocket>>();
  const plans = new Map<FakeExecution, Plan>();
  const requests: { method: string; path: string; query: string; apiKey: string | undefined; body: unknown }[] = [];
  /** Answers of other routes, by `METHOD /path`. */
  const answers = new Map<string, Answer>();
  const state = { plan: {} as Plan, count: 0, tokens: 0 };
  let base = '';

  const toId = (n: number) => n.toString(16).padStart(32, '0');
  const isOver = ({ state: { status } }: FakeExecution) => hasEnded(status);
  const end = (execution: FakeExecution, status: ExecutionStatus, exitCode: number | null) => {
    execution.state = { ...execution.state, status, exit_code: exitCode, completed_at: '2026-03-01T04:06:00.000Z' };
    for (const socket of sockets.get(execution) ?? []) {
      socket.send(JSON.stringify({ type: 'disconnect', reason: 'execution_completed' }));
      socket.close(1000);
    }
  };
  const websocketUrl = (execution: FakeExecution) => {
    state.tokens += 1;
    tokens.set(String(state.tokens), execution);
    return `${base.replace('http', 'ws')}/ws?token=${state.tokens}`;
  };
  const begin = (plan: Plan, body: RunBody): FakeExecution => {
    state.count += 1;
    const id = toId(state.count);
    const execution: FakeExecution = {
      state: {
        execution_id: id,
        status: 'RUNNING',
        command: body.command,
        image_id: body.image ?? 'ubuntu:24.04',
        started_at: '2026-03-01T04:05:00.000Z',
        exit_code: null,
      },
      body,
      events: (plan.lines ?? []).map((line, n) => createEvent(n, line)),
      acts: [...(plan.acts ?? [])],
      resumedFrom: [],
      ready: 0,
      killed: false,
    };
    executions.set(id, execution);
    plans.set(execution, plan);
    return execution;
  };

  const toAnswer = (method: string, path: string, body: unknown): Answer => {
    const planned = answers.get(`${method} ${path}`);
    if (planned) return planned;
    if (method === 'POST' && path === '/api/v1/run') {
      const execution = begin(state.plan, body as RunBody);
      const { started_at: _, exit_code: __, ...started } = execution.state;
      const log_url = `/api/v1/executions/${started.execution_id}/logs`;
      return { status: 202, body: { ...started, log_url, websocket_url: websocketUrl(execution) } };
    }
    const [, id = '', rest] = /^\/api\/v1\/executions\/(\w+)(\/\w+)?$/.exec(path) ?? [];
    const execution = executions.get(id);
    if (!execution) return { status: 404, body: { error: 'Not found', code: 'NOT_FOUND' } };
    if (method === 'DELETE') {
      if (isOver(execution)) return { status: 204 };
      execution.killed = true;
      end(execution, 'STOPPED', 130);
      return { status: 200, body: { execution_id: id, message: 'Stopping' } };
    }
    if (rest === '/status') return { status: 200, body: execution.state };
    if (execution.acts[0]?.ends === 'unavailable') {
      execution.acts.shift();
      return { status: 503, body: { error: 'The database is away', code: 'SERVICE_UNAVAILABLE' } };
    }
    const { status } = execution.state;
    const logs = isOver(execution)
      ? { events: execution.events }
      : { events: null, websocket_url: websocketUrl(execution) };
    return { status: 200, body: { execution_id: id, status, ...logs } };
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://fake');
    const method = request.method ?? 'GET';
    const body = method === 'POST' && request.headers['content-type'] ? await json(request) : undefined;
    const apiKey = request.headers['x-api-key'];
    requests.push({ method, path: url.pathname, query: url.search, apiKey: String(apiKey), body });
    const answer = toAnswer(method, url.pathname, body);
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  };

  const wss = new WebSocketServer({ noServer: true });
  const connected = (socket: WebSocket, execution: FakeExecution, from: string | null) => {
    const act = execution.acts.shift() ?? { ends: 'hold' };
    const position = execution.events.findIndex(({ event_id }) => event_id === from) + 1;
    const first = Math.max(0, position - (act.repeats ?? 0));
    const last = act.ends === 'hold' && act.sends === undefined ? undefined : position + (act.sends ?? 0);
    socket.on('message', (data) => {
      if (String(data) !== '{"type":"ready"}') return socket.close(1008);
      execution.ready += 1;
      for (const event of execution.events.slice(first, last)) socket.send(JSON.stringify({ type: 'log', ...event }));
      if (act.ends === 'drop') socket.terminate();
      else if (act.ends === 'close') socket.close(1011);
      else if (act.ends !== 'hold') {
        socket.send(JSON.stringify({ type: 'disconnect', reason: act.ends }));
        socket.close(1001);
      } else {
        sockets.set(execution, (sockets.get(execution) ?? new Set()).add(socket));
        const planned = plans.get(execution)?.end;
        if (planned) end(execution, planned.status, planned.exitCode);
      }
    });
  };

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  server.on('upgrade', (request, socket, head) => {
    const { searchParams } = new URL(request.url ?? '/', base);
    const token = searchParams.get('token') ?? '';
    const execution = tokens.get(token);
    tokens.delete(token);
    if (!execution || execution.acts[0]?.ends === 'refuse') {
      execution?.acts.shift();
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n');
      return;
    }
    execution.resumedFrom.push(searchParams.get('last_event_id'));
    wss.handleUpgrade(request, socket, head, (opened) =>
      connected(opened, execution, searchParams.get('last_event_id')),
    );
  });

  return {
    url: base,
    requests,
    answers,
    executions,
    /** Sets the plan of executions that are run from now on. */
    plan(plan: Plan) {
      state.plan = plan;
    },
    /** Adds an execution that is running already. */
    begin: (plan: Plan) => begin(plan, { command: 'started before' }),
    end,
    connections: () => wss.clients.size,
    last: () => executions.get(toId(state.count)),
    async close() {
      for (const client of wss.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type FakeExecutionsApi = Awaited<ReturnType<typeof startFakeExecutionsApi>>;
