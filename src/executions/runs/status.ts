import { type ExecutionStatus, hasEnded } from '../../contract/executions.js';

/** Allowed transitions. Ended executions never change. */
const transitions: Record<ExecutionStatus, readonly ExecutionStatus[]> = {
  STARTING: ['RUNNING', 'FAILED', 'TERMINATING'],
  RUNNING: ['SUCCEEDED', 'FAILED', 'STOPPED', 'TERMINATING'],
  TERMINATING: ['STOPPED'],
  SUCCEEDED: [],
  FAILED: [],
  STOPPED: [],
};

const statuses = Object.keys(transitions) as ExecutionStatus[];

/** Decides whether a transition is allowed: `STARTING`, `RUNNING` → true, `STOPPED`, `RUNNING` → false. */
export const mayBecome = (from: ExecutionStatus, to: ExecutionStatus): boolean => transitions[from].includes(to);

/** Returns the statuses one step before `to`: `STOPPED` → `RUNNING`, `TERMINATING`. */
export const statusesBefore = (to: ExecutionStatus): ExecutionStatus[] =>
  statuses.filter((from) => mayBecome(from, to));

export const liveStatuses = statuses.filter((status) => !hasEnded(status));
