import type { LogEvent } from '../../contract/executions.js';
import { type ColorStream, getColors } from './colors.js';

/** Formats a time of day in the time zone of this machine: `12:00:01`. */
export function formatLocalTime(timestampMs: number): string {
  const time = new Date(timestampMs);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** Begins the lines of an execution's log that ReefGuide writes, rather than the command. */
const ownPrefix = '[reefguide] ';

/** Prints log events as numbered lines, e.g. `   1  12:00:01  text`, or with `raw` the text alone. */
export class LogPrinter {
  private count = 0;

  constructor(
    private readonly stream: ColorStream & Pick<NodeJS.WriteStream, 'write'>,
    private readonly options: { raw?: boolean } = {},
  ) {}

  print({ timestamp, message }: Pick<LogEvent, 'timestamp' | 'message'>): void {
    if (this.options.raw) {
      const stream = message.startsWith(ownPrefix) ? process.stderr : this.stream;
      stream.write(`${message}\n`);
      return;
    }
    this.count += 1;
    const { dim } = getColors(this.stream);
    const number = String(this.count).padStart(4);
    const time = formatLocalTime(timestamp);
    const margin = ' '.repeat(number.length + time.length + 4);
    const text = message.replace(/\r?\n$/, '').replaceAll('\n', `\n${margin}`);
    this.stream.write(`${dim(number)}  ${time}  ${message.startsWith(ownPrefix) ? dim(text) : text}\n`);
  }
}
