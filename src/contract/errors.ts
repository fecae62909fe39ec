/** What can go wrong, in words that every layer shares. The HTTP status and the exit code are derived in one place each. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_large'
  | 'too_many'
  | 'unavailable';

/** One problem of an input: where (`inputPayload.x_dist`) and what. */
export interface Issue {
  path: string;
  message: string;
}

/** Under /api/v1, where the status alone does not say which error it is. */
export type ErrorCode = 'INVALID_API_KEY' | 'API_KEY_REVOKED' | 'SECRET_NOT_FOUND' | 'SECRET_ALREADY_EXISTS';

export interface ErrorDetails {
  code?: ErrorCode;
  issues?: Issue[];
  /** Fields that the answer carries beside `status` and `message`. */
  fields?: Record<string, unknown>;
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** An expected error: its message is for the caller and holds nothing secret. */
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

export const notFound = (what: string) => new ServiceError('not_found', `${what} not found`);
export const forbidden = (message = 'You are not allowed to do this') => new ServiceError('forbidden', message);

/** An error of the machine or the configuration that ends a command: one message and what to do about it. */
export class SetupError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'SetupError';
    this.hint = options.hint;
  }
}

/** What fails for a reason of the machine, of the configuration or of AWS becomes an answer that says it, with its remedy. */
export async function orUnavailable<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (!(cause instanceof SetupError)) throw cause;
    throw new ServiceError('unavailable', [cause.message, cause.hint].filter(Boolean).join('. '), { cause });
  }
}
