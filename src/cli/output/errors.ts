import { Errors } from '@oclif/core';
import { isRecord } from '../../client/api-error.js';

/** Explains an error to the user: what failed, its issues and what to do, and the exit code: 2 for wrong usage. */
export function explainError(error: unknown): { message: string; details: string[]; exitCode: 1 | 2 } {
  if (!isRecord(error)) return { message: String(error), details: [], exitCode: 1 };
  const message = String(error.message ?? error).trim();
  if (error instanceof Errors.CLIError)
    return { message, details: [], exitCode: 'parse' in error || error.oclif?.exit === 2 ? 2 : 1 };
  const issues = Array.isArray(error.issues) ? error.issues.filter(isRecord) : [];
  const details = issues.map((issue) => `  ${issue.path || 'input'}: ${issue.message}`);
  const hint = typeof error.hint === 'string' ? error.hint : getHint(error);
  return { message, details: hint ? [...details, hint] : details, exitCode: 1 };
}

/** Returns what to do about an error of the API client. Status 0 means that no answer came. */
function getHint({ status, requestId }: Record<string, unknown>): string | undefined {
  if (status === 401) return 'Log in with: reefguide login';
  if (status === 0) return 'Start the local system with `reefguide dev`, or name an API with --api or REEFGUIDE_API.';
  if (typeof status === 'number' && status >= 500 && typeof requestId === 'string')
    return `Administrators see the server's log lines with: reefguide trace ${requestId}`;
  return undefined;
}
