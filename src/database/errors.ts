/** SQLSTATE classes and codes that say "not now": connection, shutdown, start-up, too many connections, read-only standby. */
const unavailableStates = /^(08...|57P0[1-5]|53[1-4]..|25006|55006)$/;
const unavailableCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2024',
  'P2037',
]);
const unavailableMessages =
  /Connection terminated|timeout exceeded when trying to connect|connection is closed|Client has encountered a connection error|Cannot use a pool after calling end|not queryable|database system is/i;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** The error, its cause, the cause of that. Prisma keeps what the driver threw in `meta.driverAdapterError`. */
function* chain(error: unknown): Generator<Record<string, unknown>> {
  for (let depth = 0, at = error; depth < 6 && isObject(at); depth += 1) {
    const node: Record<string, unknown> = { ...at, message: Reflect.get(at, 'message') };
    yield node;
    at = Reflect.get(at, 'cause') ?? (isObject(node.meta) ? Reflect.get(node.meta, 'driverAdapterError') : undefined);
  }
}

/** Whether the database is away (so the same call may succeed later) rather than the statement being wrong. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable);
  for (const { code, originalCode, kind, message } of chain(error)) {
    for (const value of [code, originalCode]) {
      if (typeof value === 'string' && (unavailableCodes.has(value) || unavailableStates.test(value))) return true;
    }
    if (kind === 'DatabaseNotReachable' || kind === 'ConnectionClosed' || kind === 'SocketTimeout') return true;
    if (typeof message === 'string' && unavailableMessages.test(message)) return true;
  }
  return false;
}

/** The SQLSTATE of a Postgres error, also of one that Prisma wrapped under a code of its own (`P2003`). */
export function sqlState(error: unknown): string | undefined {
  for (const { code, originalCode } of chain(error)) {
    for (const value of [originalCode, code])
      if (typeof value === 'string' && /^(?!P[1-9])[0-9A-Z]{5}$/.test(value)) return value;
  }
  return undefined;
}

/** Whether a statement was refused for the values it was given: out of range, badly encoded, against a constraint. */
export function isRefusedInput(error: unknown): boolean {
  return /^2[23]/.test(sqlState(error) ?? '');
}

/** The foreign key that a statement broke, because what it refers to is not there (any more). */
export function violatedForeignKey(error: unknown): string | undefined {
  for (const { code, kind, constraint } of chain(error)) {
    if (code !== '23503' && kind !== 'ForeignKeyConstraintViolation') continue;
    const name = isObject(constraint) ? Reflect.get(constraint, 'index') : constraint;
    return typeof name === 'string' ? name : 'unknown';
  }
  return undefined;
}

/** Whether a row that was to be changed had gone meanwhile. */
export function isRowGone(error: unknown): boolean {
  for (const { code } of chain(error)) if (code === 'P2025') return true;
  return false;
}

/** Whether a unique index refused the statement. */
export function isUniqueViolation(error: unknown): boolean {
  for (const { code, kind } of chain(error)) {
    if (code === '23505' || code === 'P2002' || kind === 'UniqueConstraintViolation') return true;
  }
  return false;
}
