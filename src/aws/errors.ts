import { SetupError } from '../contract/errors.js';
import type { Aws } from './clients.js';

/** A call of AWS, for example `ecs:RunTask` on `task definition reef:4`. */
export interface AwsCall {
  /** Name of the permission in IAM. */
  action: string;
  resource: string;
}

/** Error of a call of AWS: the message names action, resource and reason, the hint a remedy. */
export class AwsError extends SetupError {
  readonly kind: AwsErrorKind;
  /** Name of the error at AWS, for example `ConflictException`. */
  readonly code: string;
  /** HTTP status; undefined when AWS did not answer. */
  readonly status: number | undefined;

  constructor(call: AwsCall, cause: unknown) {
    const kind = toAwsErrorKind(cause);
    const { reason, hint } = explanations[kind](call, toErrorMessage(cause));
    super(`${call.action} on ${call.resource}: ${reason}`, { hint, cause });
    this.name = 'AwsError';
    this.kind = kind;
    this.code = readText(cause, 'name');
    this.status = readStatus(cause);
  }
}

export type AwsErrorKind =
  | 'no_credentials'
  | 'expired'
  | 'no_region'
  | 'denied'
  | 'throttled'
  | 'not_found'
  | 'unreachable'
  | 'other';

const errorNames: Record<Exclude<AwsErrorKind, 'other'>, RegExp> = {
  no_credentials: /^(CredentialsProviderError|NoCredentials|MissingAuthenticationToken)/,
  expired:
    /^(ExpiredToken|ExpiredTokenException|RequestExpired|InvalidClientTokenId|UnrecognizedClientException|TokenRefreshRequired|InvalidAccessKeyId|AuthFailure|InvalidSignatureException|SignatureDoesNotMatch|TokenProviderError)/,
  no_region: /^NoRegion/,
  denied: /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|NotAuthorized|Forbidden|AllAccessDisabled)/,
  throttled:
    /^(Throttling|ThrottlingException|ThrottledException|RequestLimitExceeded|TooManyRequests|SlowDown|LimitExceededException|RequestThrottled)/,
  not_found: /(NotFound|NotFoundException|NoSuchBucket|NoSuchKey|NotFoundFault|DoesNotExist)$/,
  unreachable:
    /^(ENOTFOUND|ECONNREFUSED|ECONNRESET|EPIPE|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|TimeoutError|NetworkingError|AbortError)/,
};

/**
 * Returns the kind of an error of the SDK, from name, code and, without both, message. For example, a
 * `CredentialsProviderError` with the message `The SSO session has expired` → `expired`.
 */
export function toAwsErrorKind(error: unknown): AwsErrorKind {
  const message = toErrorMessage(error);
  if (/region is missing|region not accepted/i.test(message)) return 'no_region';
  const names = [readText(error, 'name'), readCode(error)].filter((name) => name !== '');
  // An expired login has the name of missing credentials.
  const hasExpired = /\b(session|token|credentials?)\b.*\bexpired\b/i.test(message);
  for (const [kind, pattern] of Object.entries(errorNames) as [AwsErrorKind, RegExp][])
    if (names.some((name) => pattern.test(name))) return kind === 'no_credentials' && hasExpired ? 'expired' : kind;
  if (hasExpired) return 'expired';
  // The SDK keeps only the message of thrown values that are no errors.
  if (/\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT)\b/.test(message)) return 'unreachable';
  if (/could not load credentials|resolved credential object is not valid/i.test(message)) return 'no_credentials';
  if (/stack with id .* does not exist/i.test(message)) return 'not_found';
  return 'other';
}

const explanations: Record<AwsErrorKind, (call: AwsCall, message: string) => { reason: string; hint: string }> = {
  no_credentials: () => ({
    reason: 'there are no AWS credentials',
    hint: 'Log in with `aws sso login`, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  }),
  expired: () => ({
    reason: 'the AWS credentials have expired or are not valid',
    hint: 'Log in again (`aws sso login`), or renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.',
  }),
  no_region: () => ({ reason: 'no AWS region is set', hint: 'Set AWS_REGION, for example AWS_REGION=ap-southeast-2.' }),
  denied: ({ action, resource }, message) => ({
    reason: `not allowed: ${message}`,
    hint: `Give the identity that runs this the permission ${action} on ${resource}.`,
  }),
  throttled: () => ({ reason: 'AWS throttles these calls', hint: 'Wait a little and try again.' }),
  not_found: (_, message) => ({
    reason: `not found: ${message}`,
    hint: 'Check the name, AWS_REGION, and which account the credentials belong to.',
  }),
  unreachable: (_, message) => ({
    reason: `AWS does not answer: ${message}`,
    hint: 'Check the network, AWS_REGION and, if it is set, AWS_ENDPOINT_URL.',
  }),
  other: (_, message) => ({ reason: message, hint: 'Correct what the message names, then try again.' }),
};

/** Makes one call of AWS, and throws every error as an AwsError. */
export async function callAws<T>(call: AwsCall, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    throw new AwsError(call, error);
  }
}

export type AwsCaller = <T>(action: string, resource: string, call: () => Promise<T>) => Promise<T>;

/** Returns a function to call AWS that resets the clients after an error of credentials, so a renewal needs no restart. */
export function awsCaller(aws: Pick<Aws, 'reset'>): AwsCaller {
  return async (action, resource, call) => {
    try {
      return await callAws({ action, resource }, call);
    } catch (error) {
      if (error instanceof AwsError && (error.kind === 'expired' || error.kind === 'no_credentials')) await aws.reset();
      throw error;
    }
  };
}

const readField = (error: unknown, name: string): unknown =>
  typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;

function readText(error: unknown, name: string): string {
  const value = readField(error, name);
  return typeof value === 'string' ? value : '';
}

const readCode = (error: unknown) => readText(error, 'code') || readText(error, 'Code');

/** Returns the message of any thrown value in one line. */
const toErrorMessage = (error: unknown) =>
  (readText(error, 'message') || readCode(error) || readText(error, 'name') || String(error))
    .replace(/\s+/g, ' ')
    .trim();

function readStatus(error: unknown): number | undefined {
  const status = readField(readField(error, '$metadata'), 'httpStatusCode');
  return typeof status === 'number' ? status : undefined;
}
