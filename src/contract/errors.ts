/** Kinds of expected errors. HTTP statuses and exit codes are derived from the kind, in one place each. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_large'
  | 'too_many'
  | 'unavailable';

/** One problem of an input. `path` names the field, for example `inputPayload.x_dist`. */
export interface Issue {
  path: string;
  message: string;
}

/** Codes under `/api/v1` for errors that share their status with another error. */
export type ErrorCode = 'INVALID_API_KEY' | 'API_KEY_REVOKED' | 'SECRET_NOT_FOUND' | 'SECRET_ALREADY_EXISTS';

export interface ErrorDetails {
  code?: ErrorCode;
  issues?: Issue[];
  /** Fields of the answer beside `status` and `message`, for example `{ holder: 'manager-1' }`. */
  fields?: Record<string, unknown>;
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** An expected error. The message reaches the caller, so the message holds no secret. */
export class ServiceError extends Error {
  readonly kind: ErrorKind;
  readonly code: ErrorCode | undefined;
  readonly issues: Issue[] | undefined;
  readonly fields: Record<string, unknown>;
  readonly retryAfterSeconds: number | undefined;

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = 'ServiceError';
    this.kind = kind;
    this.code = details.code;
    this.issues = details.issues;
    this.fields = details.fields ?? {};
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** Returns the message of an error, or the text of whatever else was thrown: `throw 'x'` → `x`. */
export const toMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Returns an error for a missing resource: `notFound('User 17')` → "User 17 not found". */
export const notFound = (resource: string) => new ServiceError('not_found', `${resource} not found`);

export const forbidden = (message: string) => new ServiceError('forbidden', message);

/** An error of the machine or the configuration. `hint` says how to solve the problem. */
export class SetupError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'SetupError';
    this.hint = options.hint;
  }
}

/** Runs `act` and turns a SetupError, for example of AWS credentials, into an `unavailable` error with message and hint. */
export async function orUnavailable<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (!(cause instanceof SetupError)) throw cause;
    throw new ServiceError('unavailable', [cause.message, cause.hint].filter(Boolean).join('. '), { cause });
  }
}
