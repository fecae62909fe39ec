import pino, { type Logger } from 'pino';
import type { ErrorReports } from './error-reports.js';

/** Receives each line as the log writes it, newline included. */
export interface LogSink {
  write(line: string): void;
}

export interface LogOptions {
  /** Unset: stderr. */
  file?: string | undefined;
  /** Told of every line of level `warn` or above that holds an error. */
  reports?: ErrorReports | undefined;
  /** Gets every line, too. */
  trail?: LogSink | undefined;
}

const warn = 40;

/** Structured log lines, on stderr or into a file. Tokens and passwords are never put into a line; headers are not logged. */
export function createLog(level: string, { file, reports, trail }: LogOptions = {}): Logger {
  const destination =
    file === undefined
      ? pino.destination({ dest: 2, sync: false })
      : pino.destination({ dest: file, mkdir: true, sync: false });
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['*.password', '*.token', '*.refreshToken', '*.apiKey', '*.authorization'],
      hooks: {
        logMethod(args, method, ofLevel) {
          const [fields, message] = args as unknown[];
          if (reports && ofLevel >= warn && typeof fields === 'object' && fields && 'err' in fields) {
            reports.report(fields.err, typeof message === 'string' ? message : '');
          }
          method.apply(this, args);
        },
      },
    },
    trail ? alsoInto(destination, trail) : destination,
  );
}

const alsoInto = (destination: ReturnType<typeof pino.destination>, trail: LogSink) => ({
  write(line: string) {
    destination.write(line);
    trail.write(line);
  },
  flush: () => destination.flush(),
});
