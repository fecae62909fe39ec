import { readFile } from 'node:fs/promises';
import { processStart } from '../../src/platform/processes.js';
import { until } from './until.js';

/** Whether the process runs; one that waits to be reaped does not. */
export const isRunning = (pid: number) => processStart(pid) !== undefined;

export const untilGone = (...pids: number[]) =>
  until(() => !pids.some(isRunning), { what: `the end of the processes ${pids.join(', ')}` });

/** The numbers in a file, one a line, as soon as there are `count`. */
export const readPids = (file: string, count: number): Promise<number[]> =>
  until(
    async () => {
      const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(0, -1);
      return lines.length >= count ? lines.map(Number) : undefined;
    },
    { what: `${count} process ids in ${file}` },
  );
