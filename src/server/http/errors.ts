import { type ErrorKind, ServiceError } from '../../contract/errors.js';
import { isDatabaseUnavailable, isRowGone, sqlState, violatedForeignKey } from '../../database/errors.js';

const statusOfKind: Record<ErrorKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  too_many: 429,
  unavailable: 503,
};

/** Of the others under 500: INVALID_REQUEST. */
const codeOfStatus: Record<number, string> = {
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  503: 'SERVICE_UNAVAILABLE',
};

export interface HttpError {
  status: number;
  body: Record<string, unknown>;
  headers: Record<string, string>;
  /** Ours to mend: it is logged with its cause. */
  unexpected: boolean;
}

/** What Express and its body parser throw. */
function ofFramework(error: unknown): ServiceError | { status: number; message: string } | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  const type = 'type' in error ? error.type : undefined;
  if (type === 'entity.too.large') {
    const limit = 'limit' in error ? `: ${error.limit} bytes are the limit` : '';
    return new ServiceError('too_large', `The body is too large${limit}`);
  }
  if (type === 'entity.parse.failed') {
    return new ServiceError('invalid', 'Invalid request', {
      issues: [{ path: '', message: 'the body is not valid JSON' }],
    });
  }
  if (error.status === 415) return { status: 415, message: 'This encoding or character set is not supported' };
  return error.status < 500 ? new ServiceError('invalid', 'The request is malformed') : undefined;
}

/** Where a statement refuses a value: out of range, bad encoding, a violated check. The caller's input, not our fault. */
const inputStates = /^(22...)$/;

/** What a request speaks of was removed since it was looked at, or the account that sends it was. */
function ofRemoval(error: unknown): ServiceError | undefined {
  const reference = violatedForeignKey(error);
  if (/_user_?id_fkey$/i.test(reference ?? '')) {
    return new ServiceError('unauthenticated', 'This account no longer exists');
  }
  return reference !== undefined || isRowGone(error)
    ? new ServiceError('not_found', 'What this speaks of was removed meanwhile')
    : undefined;
}

/** Turns any error into an answer. In the one place, so that nothing of ours (stack, SQL, path) gets out. */
export function httpError(error: unknown, path: string): HttpError {
  const known = error instanceof ServiceError ? error : (ofFramework(error) ?? ofRemoval(error));
  if (known instanceof ServiceError) {
    const status = statusOfKind[known.kind];
    // What is out of reach, and why, is for the log.
    return answer(path, status, known.message, known, known.kind === 'unavailable' && known.cause !== undefined);
  }
  if (known) return answer(path, known.status, known.message, undefined, false);
  if (isDatabaseUnavailable(error)) {
    const message = 'The database does not answer: try again shortly';
    return answer(path, 503, message, new ServiceError('unavailable', message, { retryAfterSeconds: 2 }), false);
  }
  if (inputStates.test(sqlState(error) ?? ''))
    return answer(path, 400, 'The request holds a value that cannot be stored', undefined, true);
  return answer(path, 500, 'Something went wrong on our side; the log has it under this request id', undefined, true);
}

function answer(
  path: string,
  status: number,
  message: string,
  error: ServiceError | undefined,
  unexpected: boolean,
): HttpError {
  const headers: Record<string, string> = {};
  if (error?.retryAfterSeconds !== undefined) headers['Retry-After'] = String(error.retryAfterSeconds);
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer';
  const issues = error?.issues ? { issues: error.issues } : {};
  const body = path.startsWith('/api/v1')
    ? {
        error: message,
        code: error?.code ?? codeOfStatus[status] ?? (status < 500 ? 'INVALID_REQUEST' : 'INTERNAL_ERROR'),
        ...(error?.issues ? { details: error.issues } : {}),
      }
    : { status, message, ...issues, ...error?.fields };
  return { status, body, headers, unexpected };
}
