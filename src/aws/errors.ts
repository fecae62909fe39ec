import { SetupError } from '../contract/errors.js';

/** What was asked of AWS: `ecs:RunTask` on `task definition reef:4`. */
export interface AwsCall {
  /** As IAM names it. */
  action: string;
  resource: string;
}

/** A call of AWS that failed: the message names action, resource and reason, the hint the remedy. */
export class AwsError extends SetupError {
  readonly kind: AwsErrorKind;
  /** The name that AWS gave the error. */
  readonly code: string;
  /** HTTP status, when AWS answered at all. */
  readonly status: number | undefined;

  constructor(call: AwsCall, cause: unknown) {
    const kind = awsErrorKind(cause);
    const { reason, hint } = told[kind](call, messageOf(cause));
    super(`${call.action} on ${call.resource}: ${reason}`, { hint, cause });
    this.name = 'AwsError';
    this.kind = kind;
    this.code = nameOf(cause);
    this.status = statusOf(cause);
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

const names: Record<Exclude<AwsErrorKind, 'other'>, RegExp> = {
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

/** Which kind of failure an error of the SDK is, from its name, its code and, where it has neither, its message. */
export function awsErrorKind(error: unknown): AwsErrorKind {
  const message = messageOf(error);
  if (/region is missing|region not accepted/i.test(message)) return 'no_region';
  const given = [nameOf(error), codeOf(error)];
  // A login that ended reports as a credentials error; only its message says so.
  const ended = /\b(session|token|credentials?)\b.*\bexpired\b/i.test(message);
  for (const [kind, pattern] of Object.entries(names) as [AwsErrorKind, RegExp][])
    if (given.some((name) => name !== '' && pattern.test(name)))
      return kind === 'no_credentials' && ended ? 'expired' : kind;
  if (ended) return 'expired';
  // The SDK wraps what it does not take for an Error, and keeps its message alone.
  if (/\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT)\b/.test(message)) return 'unreachable';
  if (/could not load credentials|resolved credential object is not valid/i.test(message)) return 'no_credentials';
  if (/stack with id .* does not exist/i.test(message)) return 'not_found';
  return 'other';
}

const told: Record<AwsErrorKind, (call: AwsCall, message: string) => { reason: string; hint: string }> = {
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

/** Makes one call of AWS; whatever it throws becomes an AwsError. */
export async function callAws<T>(call: AwsCall, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    throw new AwsError(call, error);
  }
}

const field = (error: unknown, name: string): unknown =>
  typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
const text = (value: unknown) => (typeof value === 'string' ? value : '');

const nameOf = (error: unknown) => text(field(error, 'name'));
const codeOf = (error: unknown) => text(field(error, 'code')) || text(field(error, 'Code'));
const messageOf = (error: unknown) =>
  (text(field(error, 'message')) || codeOf(error) || nameOf(error) || String(error)).replace(/\s+/g, ' ').trim();

function statusOf(error: unknown): number | undefined {
  const status = field(field(error, '$metadata'), 'httpStatusCode');
  return typeof status === 'number' ? status : undefined;
}
