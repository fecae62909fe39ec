// Speaks the orchestrator's contract, and misbehaves as it is told: enough to test what follows executions.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ExecutionState, ExecutionStatus, LogEvent, RunBody } from '../../../src/contract/executions.js';

/** How a connection goes: it repeats so many old events, sends so many new ones, and ends so. */
export interface Act {
  repeats?: number;
  sends?: number;
  /** `hold` keeps it open, and sends what is added. */
  ends: 'drop' | 'close' | 'slow_consumer' | 'server_stopping' | 'refuse' | 'unavailable' | 'hold';
}

export interface StandInExecution {
  state: ExecutionState;
  body: RunBody;
  events: LogEvent[];
  /** For one connection after the other; then each sends everything and stays until the end. */
  acts: Act[];
  /** `last_event_id` of each connection. */
  resumedFrom: (string | null)[];
  /** Whether the client said that it is ready, of each connection that was opened. */
  ready: number;
  killed: boolean;
}

interface Plan {
  lines?: readonly string[];
  acts?: Act[];
  /** How it ends by itself, once everything is sent; undefined: it goes on until it is killed. */
  end?: { status: ExecutionStatus; exitCode: number | null } | undefined;
}

export interface Answer {
  status: number;
  body?: unknown;
}

export const eventOf = (n: number, message = `line ${n}`): LogEvent => ({
  event_id: `event-${n}`,
  timestamp: Date.UTC(2026, 2, 1, 4, 5, n % 60),
  message,
});

export async function startOrchestratorStandIn() {
  const executions = new Map<string, StandInExecution>();
  const tokens = new Map<string, StandInExecution>();
  const sockets = new Map<StandInExecution, Set<WebSocket>>();
  const plans = new Map<StandInExecution, Plan>();
  const requests: { method: string; path: string; query: string; apiKey: string | undefined; body: unknown }[] = [];
  /** Answers of other routes, by `METHOD /path`. */
  const answers = new Map<string, Answer>();
  const state = { plan: {} as Plan, count: 0, tokens: 0 };
  let base = '';

  const idOf = (n: number) => n.toString(16).padStart(32, '0');
  const hasEnded = ({ state: { status } }: StandInExecution) => ['SUCCEEDED', 'FAILED', 'STOPPED'].includes(status);
  const end = (execution: StandInExecution, status: ExecutionStatus, exitCode: number | null) => {
    execution.state = { ...execution.state, status, exit_code: exitCode, completed_at: '2026-03-01T04:06:00.000Z' };
    for (const socket of sockets.get(execution) ?? []) {
      socket.send(JSON.stringify({ type: 'disconnect', reason: 'execution_completed' }));
      socket.close(1000);
    }
  };
  const websocketUrl = (execution: StandInExecution) => {
    state.tokens += 1;
    tokens.set(String(state.tokens), execution);
    return `${base.replace('http', 'ws')}/ws?token=${state.tokens}`;
  };
  const begin = (plan: Plan, body: RunBody): StandInExecution => {
    state.count += 1;
    const id = idOf(state.count);
    const execution: StandInExecution = {
      state: {
        execution_id: id,
        status: 'RUNNING',
        command: body.command,
        image_id: body.image ?? 'ubuntu:24.04',
        started_at: '2026-03-01T04:05:00.000Z',
        exit_code: null,
      },
      body,
      events: (plan.lines ?? []).map((line, n) => eventOf(n, line)),
      acts: [...(plan.acts ?? [])],
      resumedFrom: [],
      ready: 0,
      killed: false,
    };
    executions.set(id, execution);
    plans.set(execution, plan);
    return execution;
  };

  const answerOf = (method: string, path: string, body: unknown): Answer => {
    const said = answers.get(`${method} ${path}`);
    if (said) return said;
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
      if (hasEnded(execution)) return { status: 204 };
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
    const logs = hasEnded(execution)
      ? { events: execution.events }
      : { events: null, websocket_url: websocketUrl(execution) };
    return { status: 200, body: { execution_id: id, status, ...logs } };
  };

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    const method = request.method ?? 'GET';
    const body = method === 'POST' && request.headers['content-type'] ? await json(request) : undefined;
    const apiKey = request.headers['x-api-key'];
    requests.push({ method, path: url.pathname, query: url.search, apiKey: String(apiKey), body });
    const answer = answerOf(method, url.pathname, body);
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  };

  const wss = new WebSocketServer({ noServer: true });
  const connected = (socket: WebSocket, execution: StandInExecution, from: string | null) => {
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
    /** What the executions that are run from now on do. */
    plan(plan: Plan) {
      state.plan = plan;
    },
    /** An execution that was there before. */
    begin: (plan: Plan) => begin(plan, { command: 'made before' }),
    end,
    connections: () => wss.clients.size,
    last: () => executions.get(idOf(state.count)),
    async close() {
      for (const client of wss.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type OrchestratorStandIn = Awaited<ReturnType<typeof startOrchestratorStandIn>>;
