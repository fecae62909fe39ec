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

/** Turns signals into a decision. Ctrl+C on a terminal asks; other signals kill. A second signal exits at once. */
export class Interrupts {
  private readonly decided = new AbortController();
  /** Aborts once the decision is to kill or to detach. */
  readonly signal = this.decided.signal;
  decision: Decision | undefined;
  private hasStarted = false;
  private pending: NodeJS.Signals | undefined;
  private question: Promise<void> = Promise.resolve();

  readonly stop: () => void;

  constructor(private readonly options: Options) {
    this.stop = listenForSignals(['SIGINT', 'SIGTERM'], (name) => this.handle(name), options.source);
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
    if (this.pending !== undefined || this.decision !== undefined) {
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
    this.decision = choice;
    this.decided.abort();
  }
}

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
