import pg from 'pg';

export interface Listener {
  /** Whether the connection is up: while it is not, whoever waits polls more often. */
  connected(): boolean;
  close(): Promise<void>;
}

export interface ListenerOptions {
  url: string;
  channel: string;
  onMessage(payload: string): void;
  /** The connection came (back) up: messages may have been missed meanwhile. */
  onConnect(): void;
  onError(error: Error): void;
}

const firstRetryMs = 200;
const lastRetryMs = 5_000;

/**
 * One connection that LISTENs on `channel` for the whole process, and comes back by itself after a lost database.
 * Notifications are hints: what was missed while away is made good by `onConnect`.
 */
export function listen(options: ListenerOptions): Listener {
  let client: pg.Client | undefined;
  let up = false;
  let closed = false;
  let retryMs = firstRetryMs;
  let timer: NodeJS.Timeout | undefined;

  const retry = (failed: pg.Client, error: Error) => {
    if (closed || client !== failed) return;
    client = undefined;
    up = false;
    options.onError(error);
    void failed.end().catch(() => {});
    timer = setTimeout(connect, retryMs);
    retryMs = Math.min(retryMs * 2, lastRetryMs);
  };

  const connect = () => {
    const next = new pg.Client({
      connectionString: options.url,
      application_name: 'reefguide listener',
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    });
    client = next;
    next.on('error', (error) => retry(next, error));
    next.on('end', () => retry(next, new Error('the listening connection ended')));
    next.on('notification', ({ payload }) => options.onMessage(payload ?? ''));
    next
      .connect()
      .then(() => next.query(`LISTEN ${pg.escapeIdentifier(options.channel)}`))
      .then(() => {
        if (closed || client !== next) return;
        up = true;
        retryMs = firstRetryMs;
        options.onConnect();
      })
      .catch((error) => retry(next, error));
  };

  connect();
  return {
    connected: () => up,
    async close() {
      closed = true;
      up = false;
      clearTimeout(timer);
      await client?.end().catch(() => {});
    },
  };
}
