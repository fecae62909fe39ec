import pino from 'pino';
import { createNotices } from '../../src/database/notices.js';
import { createFeeds, type Feeds } from '../../src/executions/feed.js';
import { createLogStore } from '../../src/executions/log-store.js';
import { createLogTokens } from '../../src/executions/log-tokens.js';
import { createRecords } from '../../src/executions/records.js';
import { listen } from '../../src/server/listen.js';
import { createLiveLogs, encodeMessages } from '../../src/server/live-logs.js';
import type { TestService } from './service.js';

export interface LiveLogsServer {
  feeds: Feeds;
  /** The same address of the logs at this server. */
  here(websocketUrl: string): string;
  url: string;
  close(): Promise<void>;
}

/** A server of live logs alone, on the database of a service, with times of the test. */
export async function startLiveLogs(
  system: TestService,
  times: { stalledMs?: number; closeWithinMs?: number } = {},
): Promise<LiveLogsServer> {
  const { database } = system;
  const onError = () => {};
  const notices = createNotices({ database, listenUrl: system.testDatabase.url, onError });
  const logs = createLogStore(database, notices);
  const feeds = createFeeds({
    logs,
    records: createRecords(database, notices),
    notices,
    encode: encodeMessages,
    onError,
  });
  const tokens = createLogTokens(database);
  const log = pino({ level: 'silent' });
  const { stalledMs } = times;
  const live = createLiveLogs({ feeds, logs, tokens, log, ...(stalledMs === undefined ? {} : { stalledMs }) });
  const { url, close } = await listen((_, response) => response.end(), 0, undefined, live.upgrade, times.closeWithinMs);
  return {
    feeds,
    url,
    here: (websocketUrl) => websocketUrl.replace(/^ws:\/\/[^/]*/, url.replace('http', 'ws')),
    async close() {
      live.close();
      await close();
      await notices.close();
    },
  };
}
