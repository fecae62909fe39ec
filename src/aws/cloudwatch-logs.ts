import { toLevelName } from '../platform/log-levels.js';
import type { Aws } from './clients.js';
import { callAws } from './errors.js';

export interface FoundLine {
  timestamp: number;
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

const maxAgeMs = 7 * 86_400_000;
const maxLines = 1_000;
/** Maximum of pages for one search, because a search goes through every event of a log group. */
const maxPages = 100;

export class CloudWatchLogs {
  constructor(
    private readonly aws: Pick<Aws, 'cloudWatchLogs'>,
    private readonly logGroups: readonly string[],
    private readonly now: () => number,
  ) {}

  /** Returns the lines of a request in the last seven days, the oldest first. */
  async find(requestId: string): Promise<FoundLine[]> {
    const lines = await Promise.all(this.logGroups.map((logGroup) => this.findInGroup(logGroup, requestId)));
    return lines.flat().sort((a, b) => a.timestamp - b.timestamp);
  }

  private async findInGroup(logGroupName: string, requestId: string): Promise<FoundLine[]> {
    const { FilterLogEventsCommand } = await import('@aws-sdk/client-cloudwatch-logs');
    const client = await this.aws.cloudWatchLogs();
    const lines: FoundLine[] = [];
    let nextToken: string | undefined;
    for (let page = 0; page < maxPages && lines.length < maxLines; page += 1) {
      const command = new FilterLogEventsCommand({
        logGroupName,
        filterPattern: `{ $.requestId = "${requestId}" }`,
        startTime: this.now() - maxAgeMs,
        ...(nextToken ? { nextToken } : {}),
      });
      const answer = await callAws({ action: 'logs:FilterLogEvents', resource: `log group ${logGroupName}` }, () =>
        client.send(command),
      );
      for (const { timestamp = 0, message = '' } of answer.events ?? []) lines.push(toLine(timestamp, message));
      nextToken = answer.nextToken;
      if (!nextToken) break;
    }
    return lines;
  }
}

/** Parses a pino line, for example `{"level":30,"msg":"request","requestId":"…","url":"/api"}`; keeps any text but JSON unchanged. */
function toLine(timestamp: number, text: string): FoundLine {
  try {
    const { time: _, level, msg, requestId: __, ...fields } = JSON.parse(text);
    return { timestamp, level: toLevelName(level), message: String(msg ?? ''), fields };
  } catch {
    return { timestamp, level: 'info', message: text, fields: {} };
  }
}
