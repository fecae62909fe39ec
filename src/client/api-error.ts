import type { Issue } from '../contract/errors.js';

/** An answer that is no success, or no answer. `status` is the HTTP status, or 0 when the API could not be reached. */
export class ApiError extends Error {
  readonly issues: Issue[];
  readonly body: Record<string, unknown>;
  readonly retryAfterSeconds: number | undefined;
  /** Name of the request in the logs of the API, from the header X-Request-Id. */
  readonly requestId: string | undefined;

  constructor(
    readonly status: number,
    message: string,
    details: Partial<Pick<ApiError, 'issues' | 'body' | 'retryAfterSeconds' | 'requestId'>> & ErrorOptions = {},
  ) {
    super(message, { cause: details.cause });
    this.name = 'ApiError';
    this.issues = details.issues ?? [];
    this.body = details.body ?? {};
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.requestId = details.requestId;
  }

  /** True when the same call may succeed later. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** Reads `issues`, or under /api/v1 `details`. */
function toIssues({ issues, details }: Record<string, unknown>): Issue[] {
  const list: unknown[] = [issues, details].find(Array.isArray) ?? [];
  return list
    .filter(isRecord)
    .map(({ path, message }) => ({ path: String(path ?? ''), message: String(message ?? '') }));
}

export async function toApiError(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => undefined);
  const fields = isRecord(body) ? body : {};
  const message = String(fields.message ?? fields.error ?? `the API answered ${response.status}`);
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new ApiError(response.status, message, {
    issues: toIssues(fields),
    body: fields,
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined,
    requestId: response.headers.get('x-request-id') ?? undefined,
  });
}

const networkReasons: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name service does not answer',
  ECONNRESET: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed',
  UND_ERR_CONNECT_TIMEOUT: 'connecting took too long',
};

/** Turns an error of `fetch` into an ApiError, for example `The API at http://x does not answer (nothing listens there)`. */
export function toNetworkError(baseUrl: string, cause: unknown): ApiError {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const reason = inner instanceof Error ? ('code' in inner ? String(inner.code) : inner.message) : '';
  if (reason === 'ERR_INVALID_URL')
    return new ApiError(0, `Invalid address of the API ${baseUrl}: expected a URL`, { cause });
  return new ApiError(0, `The API at ${baseUrl} does not answer (${networkReasons[reason] ?? reason})`, { cause });
}
