import { Chalk, type ChalkInstance, type ForegroundColorName } from 'chalk';

/** A stream to color text for: its terminal, if any, says whether colors show. */
export type ColorStream = Pick<NodeJS.WriteStream, 'isTTY'> & { hasColors?(): boolean };

/** Returns chalk for text on `stream`: without colors off a terminal, under `NO_COLOR` and on `TERM=dumb`. */
export const getColors = (stream: ColorStream): ChalkInstance =>
  new Chalk({ level: stream.isTTY && !process.env.NO_COLOR && stream.hasColors?.() ? 1 : 0 });

/** Colors of the statuses of jobs, executions, deployments and migrations. */
const statusColors: Readonly<Record<string, ForegroundColorName>> = {
  PENDING: 'yellow',
  STARTING: 'cyan',
  RUNNING: 'cyan',
  IN_PROGRESS: 'cyan',
  SUCCEEDED: 'green',
  COMPLETED: 'green',
  FAILED: 'red',
  TIMED_OUT: 'red',
  TERMINATING: 'yellow',
  STOPPED: 'yellow',
  CANCELLED: 'yellow',
};

const levelColors: Readonly<Record<string, ForegroundColorName>> = {
  trace: 'gray',
  debug: 'gray',
  info: 'blue',
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
};

/** Colors a status, e.g. `SUCCEEDED` green. An unknown status keeps the color of the terminal. */
export function colorStatus(status: string, stream: ColorStream = process.stdout): string {
  const color = statusColors[status];
  return color ? getColors(stream)[color](status) : status;
}

/** Colors `text` (the level itself by default) by a log level, e.g. `warn` and `WARN` yellow. */
export function colorLevel(level: string, stream: ColorStream = process.stdout, text = level): string {
  const color = levelColors[level.toLowerCase()];
  return color ? getColors(stream)[color](text) : text;
}
