import type { ListrTask } from 'listr2';
import { getColors } from './colors.js';

export type Report = (line: string) => void;

const hasSpinners = () => getColors(process.stderr).level > 0;

/**
 * Runs tasks one after another and returns their context: with spinners on a terminal, as plain lines elsewhere. Writes to
 * stderr alone, because stdout carries data.
 */
export async function runTasks<Context>(tasks: ListrTask<Context>[]): Promise<Context> {
  const { DefaultRenderer, Listr, ListrLogger, ProcessOutput } = await import('listr2');
  /** Renders without a terminal on stdout too, because the output goes to stderr. */
  class StderrRenderer extends DefaultRenderer {
    static override nonTTY = true;
  }
  const logger = new ListrLogger({ useIcons: true, processOutput: new ProcessOutput(process.stderr, process.stderr) });
  return new Listr<Context, typeof StderrRenderer, 'simple'>(tasks, {
    renderer: StderrRenderer,
    rendererOptions: { collapseSubtasks: false, collapseErrors: false, showErrorMessage: false, logger },
    fallbackRenderer: 'simple',
    fallbackRendererOptions: { logger },
    fallbackRendererCondition: !hasSpinners(),
    registerSignalListeners: false,
  }).run();
}

/**
 * Runs one step. On a terminal shows a spinner with the reported lines below, the last of them or with `keepLines` all;
 * elsewhere prints the lines alone on stderr.
 */
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
