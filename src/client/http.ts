import type { Issue } from '../contract/errors.js';

/** Who the client is to the API. */
export type Credentials =
  | { kind: 'none' }
  | { kind: 'apiKey'; apiKey: string }
  | { kind: 'password'; email: string; password: string }
  | { kind: 'refresh'; refreshToken: string };

/** An answer that is not a success, or none at all. `status` 0: the API could not be reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly issues: Issue[];
  readonly body: Record<string, unknown>;
  readonly retryAfterSeconds: number | undefined;
  /** What the API named the request. */
  readonly requestId: string | undefined;

  constructor(
    status: number,
    message: string,
    details: {
      issues?: Issue[];
      body?: Record<string, unknown>;
      retryAfterSeconds?: number | undefined;
      requestId?: string | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = 'ApiError';
    this.status = status;
    this.issues = details.issues ?? [];
    this.body = details.body ?? {};
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.requestId = details.requestId;
  }

  /** Whether the same call may succeed later. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export interface HttpClientOptions {
  /** Without a slash at the end. */
  baseUrl: string;
  credentials: Credentials;
  /** How long an answer may take beyond what the call itself waits for. */
  timeoutMs?: number;
}

export interface CallOptions {
  body?: unknown;
  query?: Record<string, string | number | undefined>;
  signal?: AbortSignal | undefined;
  /** How long the server was asked to wait before it answers. */
  waitSeconds?: number;
}

export interface HttpClient {
  readonly baseUrl: string;
  /** The JSON answer; logs in first when it has to, and again when its token has ended. */
  call<T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, options?: CallOptions): Promise<T>;
  /** The response as it is, for streams. */
  open(path: string, signal?: AbortSignal): Promise<Response>;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** `issues` under /api, `details` under /api/v1. */
function issuesOf(body: Record<string, unknown>): Issue[] {
  const issues = Array.isArray(body.issues) ? body.issues : body.details;
  if (!Array.isArray(issues)) return [];
  return issues.flatMap((issue: unknown) =>
    isRecord(issue) ? [{ path: String(issue.path ?? ''), message: String(issue.message ?? '') }] : [],
  );
}

async function errorOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => undefined);
  const fields = isRecord(body) ? body : {};
  const message = String(fields.message ?? fields.error ?? `the API answered ${response.status}`);
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new ApiError(response.status, message, {
    issues: issuesOf(fields),
    body: fields,
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined,
    requestId: response.headers.get('x-request-id') ?? undefined,
  });
}

/** Reasons of the platform in words. */
const reasons: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name service does not answer',
  ECONNRESET: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed',
  UND_ERR_CONNECT_TIMEOUT: 'it took too long to connect',
};

/** HTTP with authentication, on the platform's own fetch. */
export function createHttpClient({ baseUrl: given, credentials, timeoutMs = 30_000 }: HttpClientOptions): HttpClient {
  const baseUrl = given.replace(/\/+$/, '').replace(/\/api$/, '');
  let token: Promise<string> | undefined;

  const send = async (
    path: string,
    init: RequestInit,
    limitMs: number | undefined,
    signal: AbortSignal | undefined,
  ) => {
    const signals = [...(signal ? [signal] : []), ...(limitMs === undefined ? [] : [AbortSignal.timeout(limitMs)])];
    try {
      return await fetch(`${baseUrl}${path}`, {
        ...init,
        ...(signals.length > 0 ? { signal: AbortSignal.any(signals) } : {}),
      });
    } catch (cause) {
      if (signal?.aborted) throw cause;
      const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
      const reason = inner instanceof Error ? ('code' in inner ? String(inner.code) : inner.message) : '';
      if (reason === 'ERR_INVALID_URL')
        throw new ApiError(0, `The address of the API is no URL: ${baseUrl}`, { cause });
      throw new ApiError(0, `The API at ${baseUrl} does not answer (${reasons[reason] ?? reason})`, { cause });
    }
  };

  const json = (body: unknown): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

  const logIn = async (): Promise<string> => {
    const request =
      credentials.kind === 'password'
        ? { path: '/api/auth/login', body: { email: credentials.email, password: credentials.password } }
        : {
            path: '/api/auth/token',
            body: { refreshToken: credentials.kind === 'refresh' ? credentials.refreshToken : '' },
          };
    const response = await send(request.path, json(request.body), timeoutMs, undefined);
    if (!response.ok) throw await errorOf(response);
    const answer: unknown = await response.json();
    if (!isRecord(answer) || typeof answer.token !== 'string')
      throw new ApiError(0, 'The API answered a login without a token');
    return answer.token;
  };

  const headers = async (): Promise<Record<string, string>> => {
    if (credentials.kind === 'none') return {};
    if (credentials.kind === 'apiKey') return { 'x-api-key': credentials.apiKey };
    token ??= logIn().catch((error: unknown) => {
      token = undefined;
      throw error;
    });
    return { authorization: `Bearer ${await token}` };
  };

  const renewable = credentials.kind === 'password' || credentials.kind === 'refresh';

  /** Sends with credentials; once more after a new login when the token was refused. */
  const authorised = async (
    path: string,
    init: RequestInit,
    limitMs: number | undefined,
    signal: AbortSignal | undefined,
  ) => {
    const used = token;
    const first = await send(path, { ...init, headers: { ...init.headers, ...(await headers()) } }, limitMs, signal);
    if (first.status !== 401 || !renewable) return first;
    await first.body?.cancel();
    if (token === used || used === undefined) token = undefined;
    return send(path, { ...init, headers: { ...init.headers, ...(await headers()) } }, limitMs, signal);
  };

  return {
    baseUrl,
    async call<T>(
      method: string,
      path: string,
      { body, query = {}, signal, waitSeconds = 0 }: CallOptions = {},
    ): Promise<T> {
      const search = new URLSearchParams();
      for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
      const url = search.size > 0 ? `${path}?${search}` : path;
      const init: RequestInit = body === undefined ? { method } : { ...json(body), method };
      const response = await authorised(url, init, timeoutMs + waitSeconds * 1000, signal);
      if (!response.ok) throw await errorOf(response);
      if (response.status === 204) return undefined as T;
      return (await response.json()) as T;
    },
    async open(path, signal) {
      const response = await authorised(path, {}, undefined, signal);
      if (!response.ok) throw await errorOf(response);
      return response;
    },
  };
}
