import { toLevelName } from '../platform/log-levels.js';
import type { Aws } from './clients.js';
import { callAws } from './errors.js';

export interface FoundLine {
  timestamp: number;
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

const keptMs = 7 * 86_400_000;
const maxLines = 1_000;
/** A search goes through every event of a group: it is given up after so many answers. */
const maxPages = 100;

/** Our own log lines in CloudWatch, of the last seven days. */
export function createCloudLogs(aws: Pick<Aws, 'cloudWatchLogs'>, groups: readonly string[], now: () => number) {
  const ofGroup = async (logGroupName: string, requestId: string): Promise<FoundLine[]> => {
    const { FilterLogEventsCommand } = await import('@aws-sdk/client-cloudwatch-logs');
    const client = await aws.cloudWatchLogs();
    const found: FoundLine[] = [];
    let nextToken: string | undefined;
    for (let page = 0; page < maxPages && found.length < maxLines; page += 1) {
      const command = new FilterLogEventsCommand({
        logGroupName,
        filterPattern: `{ $.requestId = "${requestId}" }`,
        startTime: now() - keptMs,
        ...(nextToken ? { nextToken } : {}),
      });
      const answer = await callAws({ action: 'logs:FilterLogEvents', resource: `log group ${logGroupName}` }, () =>
        client.send(command),
      );
      for (const { timestamp = 0, message = '' } of answer.events ?? []) found.push(lineOf(timestamp, message));
      nextToken = answer.nextToken;
      if (!nextToken) break;
    }
    return found;
  };
  return {
    async find(requestId: string): Promise<FoundLine[]> {
      const found = await Promise.all(groups.map((group) => ofGroup(group, requestId)));
      return found.flat().sort((a, b) => a.timestamp - b.timestamp);
    },
  };
}

function lineOf(timestamp: number, text: string): FoundLine {
  try {
    const { time: _, level, msg, requestId: __, ...fields } = JSON.parse(text);
    return { timestamp, level: toLevelName(level), message: String(msg ?? ''), fields };
  } catch {
    return { timestamp, level: 'info', message: text, fields: {} };
  }
}
