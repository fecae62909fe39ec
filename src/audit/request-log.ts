import { toLevelName } from '../platform/log-levels.js';

/** A line of our own log that belongs to a request. */
export interface TrailLine {
  /** Milliseconds since 1970. */
  time: number;
  requestId: string;
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

/** Keeps the log lines of requests where they can be found again. */
export interface LogTrail {
  /** Takes a line as the log writes it; of those that speak of no request it takes no notice. */
  write(line: string): void;
  /** From now on lines are stored with this; what came before, too. */
  attach(store: (lines: readonly TrailLine[]) => Promise<void>): void;
  /** Stores what waits. */
  flush(): Promise<void>;
  /** Stores what waits and nothing after it. */
  close(): Promise<void>;
}

const storeEveryMs = 500;
/** While nothing can be stored, the newest so many wait. */
const maxWaiting = 5_000;
const atOnce = 1_000;

export function createLogTrail(): LogTrail {
  let waiting: string[] = [];
  let store: ((lines: readonly TrailLine[]) => Promise<void>) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let storing: Promise<void> = Promise.resolve();

  const storeAll = async () => {
    while (store && waiting.length > 0) {
      const lines = waiting.splice(0, atOnce);
      try {
        await store(lines.flatMap((line) => parse(line) ?? []));
      } catch {
        // A log is no reason to fail, and this failure nothing to log: the lines wait for the next turn.
        waiting = [...lines, ...waiting].slice(-maxWaiting);
        return;
      }
    }
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    storing = storing.then(storeAll);
    return storing;
  };

  return {
    write(line) {
      if (!line.includes('"requestId":"')) return;
      waiting.push(line);
      if (waiting.length > maxWaiting) waiting.shift();
      if (store) timer ??= setTimeout(flush, storeEveryMs).unref();
    },
    attach(given) {
      store = given;
      void flush();
    },
    flush,
    async close() {
      await flush();
      store = undefined;
    },
  };
}

function parse(line: string): TrailLine | undefined {
  try {
    const { time, level, msg, requestId, ...fields } = JSON.parse(line);
    const at = Date.parse(time);
    if (typeof requestId !== 'string' || Number.isNaN(at)) return undefined;
    return { time: at, requestId, level: toLevelName(level), message: String(msg ?? ''), fields };
  } catch {
    return undefined;
  }
}
