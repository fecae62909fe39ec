import type { ApiKeyUser, ClaimedApiKey, CreatedApiKeyUser } from '../contract/api-key-users.js';
import type {
  Execution,
  ExecutionLogs,
  ExecutionState,
  ExecutionStatus,
  RunBody,
  StartedExecution,
} from '../contract/executions.js';
import type { HealthReport, Trace } from '../contract/health.js';
import type { ImageInfo, ImageRegistration } from '../contract/images.js';
import type { SecretInfo } from '../contract/secrets.js';
import type { HttpClient } from './http.js';

const secretPath = (name: string) => `/api/v1/secrets/${encodeURIComponent(name)}`;
const executionPath = (id: string) => `/api/v1/executions/${encodeURIComponent(id)}`;
/** Keeps the slashes of a reference: `ghcr.io/a/b:1` → `/api/v1/images/ghcr.io/a/b%3A1`. */
const imagePath = (image: string) => `/api/v1/images/${image.split('/').map(encodeURIComponent).join('/')}`;

/** Returns the calls under /api/v1: secrets, accounts with API keys, executions, images and health. */
export function executionCalls({ call }: Pick<HttpClient, 'call'>) {
  return {
    secrets: () => call<{ secrets: SecretInfo[]; total: number }>('GET', '/api/v1/secrets'),
    secret: (name: string) => call<{ secret: SecretInfo & { value: string } }>('GET', secretPath(name)),
    createSecret: (secret: { name: string; key_name: string; description?: string | undefined; value: string }) =>
      call<{ message: string }>('POST', '/api/v1/secrets', { body: secret }),
    updateSecret: (name: string, changes: Partial<Record<'key_name' | 'description' | 'value', string | undefined>>) =>
      call<{ message: string }>('PUT', secretPath(name), { body: changes }),
    removeSecret: (name: string) => call<{ message: string }>('DELETE', secretPath(name)),

    apiKeyUsers: () => call<{ users: ApiKeyUser[] }>('GET', '/api/v1/users'),
    createApiKeyUser: (email: string, role: string) =>
      call<CreatedApiKeyUser>('POST', '/api/v1/users/create', { body: { email, role } }),
    revokeApiKeyUser: (email: string) =>
      call<{ email: string; message: string }>('POST', '/api/v1/users/revoke', { body: { email } }),
    claimKey: (token: string) => call<ClaimedApiKey>('GET', `/api/v1/claim/${encodeURIComponent(token)}`),

    run: (body: RunBody) => call<StartedExecution>('POST', '/api/v1/run', { body }),
    executions: (query: { limit?: number | undefined; status?: readonly ExecutionStatus[] | undefined } = {}) =>
      call<Execution[]>('GET', '/api/v1/executions', {
        query: { limit: query.limit, status: query.status?.join(',') },
      }),
    executionStatus: (id: string, signal?: AbortSignal) =>
      call<ExecutionState>('GET', `${executionPath(id)}/status`, { signal }),
    executionLogs: (id: string, signal?: AbortSignal) =>
      call<ExecutionLogs>('GET', `${executionPath(id)}/logs`, { signal }),
    /** Returns undefined when the execution has already ended. */
    killExecution: (id: string) =>
      call<{ execution_id: string; message: string } | undefined>('DELETE', executionPath(id)),

    images: () => call<{ images: ImageInfo[] }>('GET', '/api/v1/images'),
    image: (image: string) => call<ImageInfo>('GET', imagePath(image)),
    registerImage: (registration: ImageRegistration) =>
      call<{ image: string; message: string }>('POST', '/api/v1/images/register', { body: registration }),
    removeImage: (image: string) => call<{ image: string; message: string }>('DELETE', imagePath(image)),

    health: () => call<{ status: string; version: string; provider: string; region?: string }>('GET', '/api/v1/health'),
    reconcile: () => call<{ status: 'ok' | 'issues'; report: HealthReport }>('POST', '/api/v1/health/reconcile'),
    trace: (requestId: string) => call<Trace>('GET', `/api/v1/trace/${encodeURIComponent(requestId)}`),
  };
}
