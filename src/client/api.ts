import { accountCalls } from './accounts.js';
import { capacityCalls } from './capacity.js';
import { executionCalls } from './executions.js';
import { HttpClient, type HttpClientOptions } from './http.js';
import { jobCalls, workerCalls } from './jobs.js';

/** Creates the client that the command line, the capacity manager and the worker share. Every call throws ApiError. */
export function createApi(options: HttpClientOptions) {
  const http = new HttpClient(options);
  return {
    baseUrl: http.baseUrl,
    /** Reads name and version of the API. Needs no account. */
    root: () => http.call<{ name?: string; version?: string }>('GET', '/api'),
    /** Throws an ApiError of status 503 when the database is unavailable or lacks migrations. */
    ready: () => http.call<{ status: string }>('GET', '/api/ready'),
    ...accountCalls(http),
    ...jobCalls(http),
    ...workerCalls(http),
    ...capacityCalls(http),
    ...executionCalls(http),
  };
}
export type Api = ReturnType<typeof createApi>;
