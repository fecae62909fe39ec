import { listenForSignals, type SignalSource } from '../command/signals.js';

/** Answers to the question that an interrupt asks. */
export type Choice = 'kill' | 'detach' | 'follow';
/** Answers that end the following. */
export type Decision = Exclude<Choice, 'follow'>;

interface Options {
  source: SignalSource;
  /** Asks on the terminal. Undefined without a terminal: an interrupt kills the execution. */
  ask: (() => Promise<Choice>) | undefined;
  /** Ends this process at once, after a second interrupt. */
  exit(): void;
}

/**
 * Turns SIGINT and SIGTERM into a decision about an execution. Ctrl+C on a terminal asks; SIGTERM, and SIGINT without a
 * terminal, kill. A second signal before the decision has taken effect exits at once.
 */
export class Interrupts {
  private readonly decided = new AbortController();
  private chosen: Decision | undefined;
  private hasStarted = false;
  private pending: NodeJS.Signals | undefined;
  private question: Promise<void> = Promise.resolve();

  /** Stops listening for signals. */
  readonly stop: () => void;

  constructor(private readonly options: Options) {
    this.stop = listenForSignals(['SIGINT', 'SIGTERM'], (name) => this.handle(name), options.source);
  }

  /** Aborts once the decision is to kill or to detach. */
  get signal(): AbortSignal {
    return this.decided.signal;
  }

  get decision(): Decision | undefined {
    return this.chosen;
  }

  /** Handles interrupts from here on, and one that came before the execution had started. */
  start(): void {
    this.hasStarted = true;
    if (this.pending !== undefined) this.act(this.pending);
  }

  /** Resolves when no question is open, so that no output mixes with a question. */
  answered(): Promise<void> {
    return this.question;
  }

  private handle(name: NodeJS.Signals): void {
    if (this.pending !== undefined || this.chosen !== undefined) {
      this.options.exit();
      return;
    }
    this.pending = name;
    if (this.hasStarted) this.act(name);
  }

  private act(name: NodeJS.Signals): void {
    const { ask } = this.options;
    const decide = (choice: Choice) => this.decide(choice);
    // Detach when the question fails, because nobody chose to kill.
    if (ask && name !== 'SIGTERM') this.question = ask().then(decide, () => decide('detach'));
    else decide('kill');
  }

  private decide(choice: Choice): void {
    this.pending = undefined;
    if (choice === 'follow') return;
    this.chosen = choice;
    this.decided.abort();
  }
}

/** Asks on the terminal whether to kill, leave or follow an execution. */
export async function askForChoice(executionId: string): Promise<Choice> {
  const { select } = await import('@inquirer/prompts');
  return select<Choice>(
    {
      message: `Execution ${executionId} is running. What now?`,
      choices: [
        { name: 'Kill the execution', value: 'kill' },
        { name: 'Detach: leave it running', value: 'detach' },
        { name: 'Keep following', value: 'follow' },
      ],
    },
    { output: process.stderr },
  );
}
