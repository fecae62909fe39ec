import { ApiError, isRecord, toApiError, toNetworkError } from './api-error.js';

export type Credentials =
  | { kind: 'none' }
  | { kind: 'apiKey'; apiKey: string }
  | { kind: 'password'; email: string; password: string }
  | { kind: 'refresh'; refreshToken: string };

export interface HttpClientOptions {
  /** Address of the API, for example `http://localhost:5000`. A trailing `/` or `/api` is ignored. */
  baseUrl: string;
  credentials: Credentials;
  /** Limit for an answer, beyond the time that the call itself waits. */
  timeoutMs?: number;
}

interface CallOptions {
  body?: unknown;
  query?: Record<string, string | number | undefined>;
  signal?: AbortSignal | undefined;
  /** Time that the server waits before answering a long poll. */
  waitSeconds?: number;
}

/** Without `timeoutMs`, an answer may take any time: for streams. */
type Limits = { timeoutMs?: number; signal?: AbortSignal | undefined };

/** HTTP with authentication, on the `fetch` of the platform. Every method throws ApiError. */
export class HttpClient {
  readonly baseUrl: string;
  private readonly credentials: Credentials;
  private readonly timeoutMs: number;
  private token: Promise<string> | undefined;

  constructor({ baseUrl, credentials, timeoutMs = 30_000 }: HttpClientOptions) {
    this.baseUrl = baseUrl.replace(/\/+$/, '').replace(/\/api$/, '');
    this.credentials = credentials;
    this.timeoutMs = timeoutMs;
  }

  /** Returns the JSON answer; undefined for 204. Logs in first when necessary, and again when the token has expired. */
  readonly call = async <T>(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    { body, query = {}, signal, waitSeconds = 0 }: CallOptions = {},
  ): Promise<T> => {
    const search = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
    const url = search.size > 0 ? `${path}?${search}` : path;
    const timeoutMs = this.timeoutMs + waitSeconds * 1000;
    const response = await this.fetchAuthorized(url, { method, ...toJsonBody(body) }, { timeoutMs, signal });
    if (response.status === 204) return undefined as T;
    return (await response.json()) as T;
  };

  /** Returns the response of a GET unread, for streams. */
  async open(path: string, signal?: AbortSignal): Promise<Response> {
    return this.fetchAuthorized(path, {}, { signal });
  }

  /** Sends a request with credentials; once more after a new login when the token was refused. */
  private async fetchAuthorized(path: string, init: RequestInit, limits: Limits): Promise<Response> {
    const { token } = this;
    let response = await this.fetch(path, await this.withCredentials(init), limits);
    if (response.status === 401 && this.canLogIn) {
      await response.body?.cancel();
      // A concurrent call may have logged in again already.
      if (token === undefined || token === this.token) this.token = undefined;
      response = await this.fetch(path, await this.withCredentials(init), limits);
    }
    if (!response.ok) throw await toApiError(response);
    return response;
  }

  private get canLogIn(): boolean {
    return this.credentials.kind === 'password' || this.credentials.kind === 'refresh';
  }

  private async withCredentials(init: RequestInit): Promise<RequestInit> {
    const headers = new Headers(init.headers);
    const token = this.canLogIn ? await this.logIn() : undefined;
    try {
      if (this.credentials.kind === 'apiKey') headers.set('x-api-key', this.credentials.apiKey);
      if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    } catch (cause) {
      throw new ApiError(0, 'Invalid API key: expected visible ASCII characters without line breaks', { cause });
    }
    return { ...init, headers };
  }

  /** Returns the token; concurrent calls share one login. */
  private logIn(): Promise<string> {
    this.token ??= this.requestToken().catch((error: unknown) => {
      this.token = undefined;
      throw error;
    });
    return this.token;
  }

  private async requestToken(): Promise<string> {
    const { kind, ...body } = this.credentials;
    const path = kind === 'password' ? '/api/auth/login' : '/api/auth/token';
    const response = await this.fetch(path, { method: 'POST', ...toJsonBody(body) }, { timeoutMs: this.timeoutMs });
    if (!response.ok) throw await toApiError(response);
    const answer: unknown = await response.json();
    if (!isRecord(answer) || typeof answer.token !== 'string')
      throw new ApiError(0, 'The API answered a login without a token');
    return answer.token;
  }

  private async fetch(path: string, init: RequestInit, { timeoutMs, signal }: Limits): Promise<Response> {
    const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
    const signals = [signal, timeout].filter((each) => each !== undefined);
    try {
      return await fetch(`${this.baseUrl}${path}`, { ...init, signal: AbortSignal.any(signals) });
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw toNetworkError(this.baseUrl, cause);
    }
  }
}

function toJsonBody(body: unknown): RequestInit {
  if (body === undefined) return {};
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
