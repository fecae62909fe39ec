/** What becomes of an execution when its follower is interrupted. */
export type Choice = 'kill' | 'detach' | 'follow';

export interface Interrupts {
  /** Aborts when it was decided to kill or to detach. */
  signal: AbortSignal;
  /** What was decided, if anything was. */
  decision(): Exclude<Choice, 'follow'> | undefined;
  /** From here on there is an execution to decide on; an interrupt of before is dealt with now. */
  begin(): void;
  /** Resolves when no question stands open, so that nothing is printed into one. */
  quiet(): Promise<void>;
  stop(): void;
}

interface Options {
  /** Where the signals come from: the process. */
  source: Pick<NodeJS.EventEmitter, 'on' | 'removeListener'>;
  /** Asks on the terminal; undefined where there is none, and an interrupt kills. */
  ask: (() => Promise<Choice>) | undefined;
  /** Ends this process at once: the second interrupt. */
  leave(): void;
}

/**
 * Turns SIGINT and SIGTERM into a decision. Ctrl+C on a terminal asks; SIGTERM, which nobody types, and SIGINT without a
 * terminal kill. A second one, while the first is dealt with, leaves at once.
 */
export function watchInterrupts({ source, ask, leave }: Options): Interrupts {
  const decided = new AbortController();
  let decision: Exclude<Choice, 'follow'> | undefined;
  let begun = false;
  let pending: NodeJS.Signals | undefined;
  let question: Promise<void> = Promise.resolve();

  const decide = (choice: Choice) => {
    pending = undefined;
    if (choice === 'follow') return;
    decision = choice;
    decided.abort();
  };
  const act = (signal: NodeJS.Signals) => {
    if (!ask || signal === 'SIGTERM') decide('kill');
    // A question that cannot be asked must not end what nobody said to end.
    else question = ask().then(decide, () => decide('detach'));
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (pending !== undefined || decision !== undefined) return leave();
    pending = signal;
    if (begun) act(signal);
  };
  source.on('SIGINT', onSignal);
  source.on('SIGTERM', onSignal);
  return {
    signal: decided.signal,
    decision: () => decision,
    begin() {
      begun = true;
      if (pending !== undefined) act(pending);
    },
    quiet: () => question,
    stop() {
      source.removeListener('SIGINT', onSignal);
      source.removeListener('SIGTERM', onSignal);
    },
  };
}

/** Asks what should become of an execution; Ctrl+C as the answer detaches. */
export async function askWhatNow(executionId: string): Promise<Choice> {
  const { select } = await import('@inquirer/prompts');
  return select<Choice>(
    {
      message: `Execution ${executionId} is running. What now?`,
      choices: [
        { name: 'Kill it', value: 'kill' },
        { name: 'Detach: it goes on without this command', value: 'detach' },
        { name: 'Go on following it', value: 'follow' },
      ],
    },
    { output: process.stderr },
  );
}
