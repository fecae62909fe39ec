import pino, { type Logger } from 'pino';
import type { ErrorReporter } from './error-reports.js';

/** Receives each log line with its line break, in addition to the log's file or stderr. */
export interface LogSink {
  write(line: string): void;
}

export interface LogOptions {
  /** Path of the log file; undefined: stderr. */
  file?: string | undefined;
  /** Receives the error of every line of level `warn` or above that has one. */
  errorReporter?: ErrorReporter | undefined;
  sink?: LogSink | undefined;
}

/** Opens a log of JSON lines. Fields named like a password or a token are replaced by `[Redacted]`. */
export function createLog(level: string, { file, errorReporter, sink }: LogOptions = {}): Logger {
  const destination = pino.destination({ dest: file ?? 2, mkdir: true, sync: false });
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['*.password', '*.token', '*.refreshToken', '*.apiKey', '*.authorization'],
      hooks: {
        logMethod(args, method, lineLevel) {
          const [fields, message] = args as unknown[];
          const isSevere = lineLevel >= (pino.levels.values.warn ?? 0);
          if (errorReporter && isSevere && typeof fields === 'object' && fields && 'err' in fields) {
            errorReporter.report(fields.err, typeof message === 'string' ? message : '');
          }
          method.apply(this, args);
        },
      },
    },
    sink ? tee(destination, sink) : destination,
  );
}

const tee = (destination: ReturnType<typeof pino.destination>, sink: LogSink) => ({
  write(line: string) {
    destination.write(line);
    sink.write(line);
  },
  flush: () => destination.flush(),
});
