import pino, { type Logger } from 'pino';

/** Structured log lines, on stderr or into a file. Tokens and passwords are never put into a line; headers are not logged. */
export function createLog(level: string, file?: string): Logger {
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
    },
    destination,
  );
}
