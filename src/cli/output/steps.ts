import { writeSync } from 'node:fs';
import type { ListrTask } from 'listr2';
import { listenForSignals } from '../command/signals.js';
import { getColors } from './colors.js';

export type Report = (line: string) => void;

const hasSpinners = () => getColors(process.stderr).level > 0;

/** Control sequence that makes the cursor of a terminal visible. */
const showCursor = '\u001b[?25h';

/** Shows the cursor, which spinners hide, when a signal or an exit ends the process. Returns how to end the guard. */
function guardCursor(): () => void {
  const show = () => writeSync(process.stderr.fd, showCursor);
  const stopListening = listenForSignals(['SIGINT', 'SIGTERM', 'SIGHUP'], (name) => {
    show();
    if (process.listenerCount(name) > 1) return;
    stopListening();
    process.kill(process.pid, name);
  });
  process.once('exit', show);
  return () => {
    stopListening();
    process.removeListener('exit', show);
  };
}

/** Runs tasks in turn, with spinners on a terminal. Writes to stderr alone, because stdout carries data. */
export async function runTasks<Context>(tasks: ListrTask<Context>[]): Promise<Context> {
  const { DefaultRenderer, Listr, ListrLogger, ListrLogLevels, ProcessOutput } = await import('listr2');
  /** Renders without a terminal on stdout too, because the output goes to stderr. */
  class StderrRenderer extends DefaultRenderer {
    static override nonTTY = true;
  }
  const spins = hasSpinners();
  const plain = Object.fromEntries(
    Object.values(ListrLogLevels).map((level) => [level, (text?: string) => text ?? '']),
  );
  const logger = new ListrLogger({
    useIcons: true,
    processOutput: new ProcessOutput(process.stderr, process.stderr),
    // listr decides on colors by stdout, but writes to stderr.
    ...(spins ? {} : { color: plain }),
  });
  const endGuard = spins ? guardCursor() : () => {};
  return new Listr<Context, typeof StderrRenderer, 'simple'>(tasks, {
    renderer: StderrRenderer,
    rendererOptions: { collapseSubtasks: false, collapseErrors: false, showErrorMessage: false, logger },
    fallbackRenderer: 'simple',
    fallbackRendererOptions: { logger },
    fallbackRendererCondition: !spins,
    registerSignalListeners: false,
  })
    .run()
    .finally(endGuard);
}

/** Runs one step. A terminal shows a spinner above the last reported line, or with `keepLines` above all lines. */
export async function runStep<T>(
  title: string,
  work: (report: Report) => Promise<T>,
  { keepLines = false } = {},
): Promise<T> {
  if (!hasSpinners()) return work((line) => process.stderr.write(`${line}\n`));
  const { result } = await runTasks<{ result: T }>([
    {
      title,
      rendererOptions: keepLines ? { persistentOutput: true, outputBar: Number.POSITIVE_INFINITY } : {},
      task: async (context, task) => {
        context.result = await work((line) => {
          task.output = line;
        });
      },
    },
  ]);
  return result;
}
