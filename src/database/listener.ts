import pg from 'pg';
import { backoffMs } from '../platform/backoff.js';

export interface ListenerOptions {
  url: string;
  channel: string;
  onMessage(payload: string): void;
  /** Called when the connection is up, for the first time or again. Messages may have been missed before. */
  onConnect(): void;
  onError(error: Error): void;
}

const retryDelays = { minMs: 200, maxMs: 5_000 };

/** Runs LISTEN on a connection for the whole process, and connects again after each loss. */
export class Listener {
  private client: pg.Client | undefined;
  private isConnected = false;
  private isClosed = false;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ListenerOptions) {
    this.connect();
  }

  /** Returns false while the connection is down; subscribers then poll more often. */
  connected(): boolean {
    return this.isConnected;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.isConnected = false;
    clearTimeout(this.timer);
    await this.client?.end().catch(() => {});
  }

  private connect(): void {
    const { url, channel, onMessage, onConnect } = this.options;
    const client = new pg.Client({
      connectionString: url,
      application_name: 'reefguide listener',
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    });
    this.client = client;
    client.on('error', (error) => this.retry(client, error));
    client.on('end', () => this.retry(client, new Error('The connection for LISTEN was closed')));
    client.on('notification', ({ payload }) => onMessage(payload ?? ''));
    client
      .connect()
      .then(() => client.query(`LISTEN ${pg.escapeIdentifier(channel)}`))
      .then(() => {
        if (this.isClosed || this.client !== client) return;
        this.isConnected = true;
        this.failures = 0;
        onConnect();
      })
      .catch((error) => this.retry(client, error));
  }

  private retry(failed: pg.Client, error: Error): void {
    if (this.isClosed || this.client !== failed) return;
    this.client = undefined;
    this.isConnected = false;
    this.options.onError(error);
    void failed.end().catch(() => {});
    this.failures += 1;
    this.timer = setTimeout(() => this.connect(), backoffMs(this.failures, retryDelays));
  }
}
