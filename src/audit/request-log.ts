import { toLevelName } from '../platform/log-levels.js';

/** Line of the server's log about a request. */
export interface RequestLogLine {
  /** Milliseconds since 1970. */
  time: number;
  requestId: string;
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

type Store = (lines: readonly RequestLogLine[]) => Promise<void>;

const storeIntervalMs = 500;
/** Most waiting lines while the database is away; older lines are dropped. */
const maxWaitingLines = 5_000;
const maxBatchLines = 1_000;

/** Collects the log lines of requests, and stores them in batches once a store is attached. */
export class RequestLog {
  private waiting: string[] = [];
  private store: Store | undefined;
  private timer: NodeJS.Timeout | undefined;
  private storing: Promise<void> = Promise.resolve();

  /** Takes a line of JSON as pino writes lines. Ignores lines without a `requestId`. */
  write(line: string): void {
    if (!line.includes('"requestId":"')) return;
    this.waiting.push(line);
    if (this.waiting.length > maxWaitingLines) this.waiting.shift();
    if (this.store) this.timer ??= setTimeout(() => this.flush(), storeIntervalMs).unref();
  }

  /** Stores waiting and later lines with `store`. */
  attach(store: Store): void {
    this.store = store;
    void this.flush();
  }

  /** Resolves when all lines are stored, or an attempt has failed. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.storing = this.storing.then(() => this.storeAll());
    return this.storing;
  }

  /** Stores all lines, and ignores later lines. */
  async close(): Promise<void> {
    await this.flush();
    this.store = undefined;
  }

  private async storeAll(): Promise<void> {
    while (this.store && this.waiting.length > 0) {
      const lines = this.waiting.splice(0, maxBatchLines);
      try {
        await this.store(lines.flatMap((line) => parseLine(line) ?? []));
      } catch {
        // Keeps the lines for the next attempt, and logs nothing, because each log line would be another line to store.
        this.waiting = [...lines, ...this.waiting].slice(-maxWaitingLines);
        return;
      }
    }
  }
}

function parseLine(line: string): RequestLogLine | undefined {
  try {
    const { time: isoTime, level, msg, requestId, ...fields } = JSON.parse(line);
    const time = Date.parse(isoTime);
    if (typeof requestId !== 'string' || Number.isNaN(time)) return undefined;
    return { time, requestId, level: toLevelName(level), message: String(msg ?? ''), fields };
  } catch {
    return undefined;
  }
}
