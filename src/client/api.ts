import type { UserBody } from '../contract/auth.js';
import { capacityCalls } from './capacity.js';
import { executionCalls } from './executions.js';
import { HttpClient, type HttpClientOptions } from './http.js';
import { jobCalls, workerCalls } from './jobs.js';

/** Creates the client that the command line, the capacity manager and the worker share. Every call throws ApiError. */
export function createApi(options: HttpClientOptions) {
  const http = new HttpClient(options);
  const { baseUrl, call } = http;
  return {
    baseUrl,
    /** Reads name and version of the API. Needs no account. */
    root: () => call<{ name?: string; version?: string }>('GET', '/api'),
    /** Throws an ApiError of status 503 when the database is unavailable or lacks migrations. */
    ready: () => call<{ status: string }>('GET', '/api/ready'),
    login: (email: string, password: string) =>
      call<{ token: string; refreshToken: string }>('POST', '/api/auth/login', { body: { email, password } }),
    logout: (refreshToken: string) => call<void>('POST', '/api/auth/logout', { body: { refreshToken } }),
    profile: () => call<{ user: UserBody }>('GET', '/api/auth/profile'),
    ...jobCalls(http),
    ...workerCalls(http),
    ...capacityCalls(http),
    ...executionCalls(http),
  };
}
export type Api = ReturnType<typeof createApi>;
