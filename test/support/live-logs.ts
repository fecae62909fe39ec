import type { Socket } from 'node:net';
import pino from 'pino';
import { PostgresNotifications } from '../../src/database/notifications.js';
import { LogFeeds } from '../../src/executions/logs/feed.js';
import { LogStore } from '../../src/executions/logs/store.js';
import { LogTokens } from '../../src/executions/logs/tokens.js';
import { encodeMessages } from '../../src/executions/logs/websocket-frames.js';
import { readExecutionEnd } from '../../src/executions/runs/sql.js';
import { listen, type Upgrade } from '../../src/server/http/listen.js';
import { LogSocket } from '../../src/server/log-socket.js';
import type { TestService } from './service.js';

export interface LiveLogsServer {
  feeds: LogFeeds;
  logs: LogStore;
  /** The server's sides of the connections, in order. */
  sockets: Socket[];
  /** Returns the address of the same logs at this server. */
  toOwnUrl(websocketUrl: string): string;
  url: string;
  close(): Promise<void>;
}

/** Starts a server of live logs alone, on the database of a service, with the timing of the test. */
export async function startLiveLogs(
  system: TestService,
  times: { stalledMs?: number; closeWithinMs?: number } = {},
): Promise<LiveLogsServer> {
  const { database } = system;
  const onError = () => {};
  const notifications = new PostgresNotifications({ database, listenUrl: system.testDatabase.url, onError });
  const logs = new LogStore(database, notifications);
  const feeds = new LogFeeds({
    logs,
    readEnd: (executionId) => readExecutionEnd(database, executionId),
    notifications,
    encode: encodeMessages,
    onError,
  });
  const tokens = new LogTokens(database);
  const log = pino({ level: 'silent' });
  const { stalledMs } = times;
  const live = new LogSocket({ feeds, logs, tokens, log, ...(stalledMs === undefined ? {} : { stalledMs }) });
  const sockets: Socket[] = [];
  const upgrade: Upgrade = (request, socket, head) => {
    sockets.push(request.socket);
    live.upgrade(request, socket, head);
  };
  const { url, close } = await listen((_, response) => response.end(), 0, undefined, upgrade, times.closeWithinMs);
  return {
    feeds,
    logs,
    sockets,
    url,
    toOwnUrl: (websocketUrl) => websocketUrl.replace(/^ws:\/\/[^/]*/, url.replace('http', 'ws')),
    async close() {
      live.close();
      await close();
      await notifications.close();
    },
  };
}
