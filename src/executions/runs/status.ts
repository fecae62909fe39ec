import { type ExecutionStatus, hasEnded } from '../../contract/executions.js';

/** Every transition there is. What has ended stays as it is. */
const transitions: Record<ExecutionStatus, readonly ExecutionStatus[]> = {
  STARTING: ['RUNNING', 'FAILED', 'TERMINATING'],
  RUNNING: ['SUCCEEDED', 'FAILED', 'STOPPED', 'TERMINATING'],
  TERMINATING: ['STOPPED'],
  SUCCEEDED: [],
  FAILED: [],
  STOPPED: [],
};

const statuses = Object.keys(transitions) as ExecutionStatus[];

export const mayBecome = (from: ExecutionStatus, to: ExecutionStatus): boolean => transitions[from].includes(to);

/** The statuses from which `to` can be reached in one step. */
export const beforeStatus = (to: ExecutionStatus): ExecutionStatus[] => statuses.filter((from) => mayBecome(from, to));

export const liveStatuses = statuses.filter((status) => !hasEnded(status));

/** The exit code of what a user stopped: 128 and SIGINT. */
export const stoppedCode = 130;
