import { Errors } from '@oclif/core';

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** What a person reads for an error: what went wrong, what to do. The exit code says whether the usage was wrong. */
export function explain(error: unknown): { lines: string[]; exitCode: 1 | 2 } {
  if (!isRecord(error)) return { lines: [`Error: ${String(error)}`], exitCode: 1 };
  const message = String(error.message ?? error).trim();
  if (error instanceof Errors.CLIError) return { lines: [`Error: ${message}`], exitCode: isUsage(error) ? 2 : 1 };
  const lines = [`Error: ${message}`];
  if (Array.isArray(error.issues)) {
    for (const issue of error.issues) if (isRecord(issue)) lines.push(`  ${issue.path || 'input'}: ${issue.message}`);
  }
  const hint = typeof error.hint === 'string' ? error.hint : hintOf(error);
  if (hint) lines.push(hint);
  return { lines, exitCode: 1 };
}

const isUsage = (error: Errors.CLIError) => 'parse' in error || error.oclif?.exit === 2;

function hintOf({ status, requestId }: Record<string, unknown>): string | undefined {
  if (status === 401) return 'Log in with: reefguide login';
  if (status === 0) return 'Start the local system with `reefguide dev`, or name another with --api or REEFGUIDE_API.';
  if (typeof status === 'number' && status >= 500 && typeof requestId === 'string')
    return `What the server did is shown to administrators by: reefguide trace ${requestId}`;
  return undefined;
}
