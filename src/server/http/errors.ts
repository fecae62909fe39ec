import { type ErrorKind, ServiceError } from '../../contract/errors.js';
import { isDatabaseUnavailable, isRowGone, sqlState, violatedForeignKey } from '../../database/errors.js';

const statuses: Record<ErrorKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  too_many: 429,
  unavailable: 503,
};

/** Codes under `/api/v1` by status. Every other status below 500 has the code INVALID_REQUEST. */
const codes: Record<number, string> = {
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  503: 'SERVICE_UNAVAILABLE',
};

/** Returns the answer to an error of Express or the body parser, or undefined for any other error. */
function fromFramework(error: unknown): ServiceError | { status: number; message: string } | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  const type = 'type' in error ? error.type : undefined;
  if (type === 'entity.too.large') {
    const limit = 'limit' in error ? `: expected at most ${error.limit} bytes` : '';
    return new ServiceError('too_large', `Invalid body${limit}`);
  }
  if (type === 'entity.parse.failed') {
    const issues = [{ path: '', message: 'the body is not valid JSON' }];
    return new ServiceError('invalid', 'Invalid request', { issues });
  }
  if (error.status === 415) return { status: 415, message: 'Unsupported encoding or character set: send UTF-8' };
  return error.status < 500 ? new ServiceError('invalid', 'Malformed request') : undefined;
}

/** Returns the answer when a row of the request, or the caller's account, was removed in the meantime. */
function fromRemovedRow(error: unknown): ServiceError | undefined {
  const reference = violatedForeignKey(error);
  if (/_user_?id_fkey$/i.test(reference ?? ''))
    return new ServiceError('unauthenticated', 'This account no longer exists');
  return reference !== undefined || isRowGone(error)
    ? new ServiceError('not_found', 'Not found: the resource was removed in the meantime')
    : undefined;
}

/** Turns any error into an answer without stack or SQL text. `unexpected` marks a fault of the server, to log. */
export function toHttpError(error: unknown, path: string) {
  const expected = error instanceof ServiceError ? error : (fromFramework(error) ?? fromRemovedRow(error));
  if (expected instanceof ServiceError) {
    // The cause of an unavailable dependency is for the log alone.
    const unexpected = expected.kind === 'unavailable' && expected.cause !== undefined;
    return createAnswer(path, statuses[expected.kind], expected.message, unexpected, expected);
  }
  if (expected) return createAnswer(path, expected.status, expected.message, false);
  if (isDatabaseUnavailable(error)) {
    const message = 'The database does not answer: try again shortly';
    return createAnswer(path, 503, message, false, new ServiceError('unavailable', message, { retryAfterSeconds: 2 }));
  }
  // SQL states of class 22, for example `22003` (number out of range): Postgres refuses a value of the caller.
  if (/^22...$/.test(sqlState(error) ?? ''))
    return createAnswer(path, 400, 'The request holds a value that cannot be stored', true);
  const message = 'Internal error: the server log has the cause under the request id of this answer';
  return createAnswer(path, 500, message, true);
}

/** `/api/jobs` → `{ status, message, issues? }`, `/api/v1/run` → `{ error, code, details? }`. */
function createAnswer(path: string, status: number, message: string, unexpected: boolean, error?: ServiceError) {
  const headers: Record<string, string> = {};
  if (error?.retryAfterSeconds !== undefined) headers['Retry-After'] = String(error.retryAfterSeconds);
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer';
  const body = path.startsWith('/api/v1')
    ? {
        error: message,
        code: error?.code ?? codes[status] ?? (status < 500 ? 'INVALID_REQUEST' : 'INTERNAL_ERROR'),
        ...(error?.issues ? { details: error.issues } : {}),
      }
    : { status, message, ...(error?.issues ? { issues: error.issues } : {}), ...error?.fields };
  return { status, body, headers, unexpected };
}
