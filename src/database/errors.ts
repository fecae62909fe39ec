/**
 * Matches each SQLSTATE of a database that refuses work for now: connection (08), shutdown and start-up (57P0), lack of
 * resources (53), read-only standby (25006), object in use (55006).
 */
const unavailableStates = /^(08...|57P0[1-5]|53[1-4]..|25006|55006)$/;
/** Codes of Node.js and of Prisma for the same. */
const unavailableCodes =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|EAI_AGAIN|P1001|P1002|P1008|P1017|P2024|P2037)$/;
const unavailableKinds = /^(DatabaseNotReachable|ConnectionClosed|SocketTimeout)$/;
const unavailableMessages =
  /Connection terminated|timeout exceeded when trying to connect|connection is closed|Client has encountered a connection error|Cannot use a pool after calling end|not queryable|database system is/i;
const maxCauses = 6;

const matches = (pattern: RegExp, value: unknown) => typeof value === 'string' && pattern.test(value);

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Yields the error, the cause, and so on. Prisma stores the error of the driver in `meta.driverAdapterError`. */
function* causeChain(error: unknown): Generator<Record<string, unknown>> {
  for (let depth = 0, next = error; depth < maxCauses && isObject(next); depth += 1) {
    const cause: Record<string, unknown> = { ...next, message: Reflect.get(next, 'message') };
    yield cause;
    const { meta } = cause;
    next = Reflect.get(next, 'cause') ?? (isObject(meta) ? Reflect.get(meta, 'driverAdapterError') : undefined);
  }
}

/** Returns true when the database is away, so a retry may succeed; false when the statement is wrong. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable);
  for (const { code, originalCode, kind, message } of causeChain(error)) {
    if ([code, originalCode].some((value) => matches(unavailableCodes, value) || matches(unavailableStates, value)))
      return true;
    if (matches(unavailableKinds, kind) || matches(unavailableMessages, message)) return true;
  }
  return false;
}

/** Returns the SQLSTATE of a Postgres error, e.g. `23503`, also below an error of Prisma with the code `P2003`. */
export function sqlState(error: unknown): string | undefined {
  for (const { code, originalCode } of causeChain(error)) {
    for (const value of [originalCode, code])
      if (typeof value === 'string' && /^(?!P[1-9])[0-9A-Z]{5}$/.test(value)) return value;
  }
  return undefined;
}

/** Returns whether Postgres refused the values: out of range, badly encoded (both 22) or against a constraint (23). */
export const isRefusedInput = (error: unknown): boolean => /^2[23]/.test(sqlState(error) ?? '');

/** Returns the name of the foreign key whose target is missing, for example `Job_user_id_fkey`. */
export function violatedForeignKey(error: unknown): string | undefined {
  for (const { code, kind, constraint } of causeChain(error)) {
    if (code !== '23503' && kind !== 'ForeignKeyConstraintViolation') continue;
    const name = isObject(constraint) ? Reflect.get(constraint, 'index') : constraint;
    return typeof name === 'string' ? name : 'unknown';
  }
  return undefined;
}

/** Returns whether the row to change was deleted meanwhile. */
export const isRowGone = (error: unknown): boolean => [...causeChain(error)].some(({ code }) => code === 'P2025');

/** Returns whether a unique index refused the statement. */
export const isUniqueViolation = (error: unknown): boolean =>
  [...causeChain(error)].some(
    ({ code, kind }) => code === '23505' || code === 'P2002' || kind === 'UniqueConstraintViolation',
  );
