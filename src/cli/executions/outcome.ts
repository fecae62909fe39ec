import type { ExecutionState } from '../../contract/executions.js';
import { type ColorStream, colorStatus } from '../output/colors.js';
import { formatDuration } from '../output/format.js';

/** Returns the exit code of an ended command. A failure without a code that a process can have, e.g. 256, becomes 1. */
export function getExitCode({ status, exit_code: code }: Pick<ExecutionState, 'status' | 'exit_code'>): number {
  if (status === 'SUCCEEDED') return 0;
  return code !== null && code > 0 && code < 256 ? code : 1;
}

/** Describes a status and, once ended, the outcome: `Execution … FAILED with exit code 3 after 12s`. */
export function describeExecution(state: ExecutionState, stream: ColorStream = process.stderr): string {
  const code = state.exit_code === null ? '' : ` with exit code ${state.exit_code}`;
  const ms = Date.parse(state.completed_at ?? '') - Date.parse(state.started_at);
  const duration = state.completed_at ? ` after ${formatDuration(ms / 1000)}` : '';
  return `Execution ${state.execution_id} ${colorStatus(state.status, stream)}${code}${duration}`;
}

/** Says how to continue with an execution that runs without this command. */
export const describeNextSteps = (id: string): string =>
  `Follow it with: reefguide executions logs ${id}\nKill it with:   reefguide executions kill ${id}`;
