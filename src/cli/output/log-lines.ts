import type { LogEvent } from '../../contract/executions.js';

/** `12:00:01`, in the time zone of this machine. */
export function localTime(timestampMs: number): string {
  const time = new Date(timestampMs);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** Writes log events as numbered lines, `   1  12:00:01  text`; the numbers are dim on a terminal. `raw`: the text alone. */
export function createLogLines(stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>, { raw = false } = {}) {
  const dims = stream.isTTY && !process.env.NO_COLOR;
  let count = 0;
  return {
    show({ timestamp, message }: Pick<LogEvent, 'timestamp' | 'message'>): void {
      if (raw) {
        // What is ours is no output of the command.
        const to = message.startsWith('[reefguide] ') ? process.stderr : stream;
        to.write(`${message}\n`);
        return;
      }
      count += 1;
      const number = String(count).padStart(4);
      const time = localTime(timestamp);
      const margin = ' '.repeat(number.length + time.length + 4);
      const text = message.replace(/\r?\n$/, '').replaceAll('\n', `\n${margin}`);
      stream.write(`${dims ? `\u001b[2m${number}\u001b[22m` : number}  ${time}  ${text}\n`);
    },
  };
}
