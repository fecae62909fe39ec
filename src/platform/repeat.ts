export interface RepeatOptions {
  run(): Promise<unknown>;
  /** Milliseconds from the end of a run to the start of the next. */
  intervalMs: number;
  /** Receives the error of a failed run; the next run happens as planned. */
  onError(error: unknown): void;
}

/** Repeats `run`, first after `intervalMs`. `stop` waits for a run in progress. The wait keeps no process alive. */
export function startRepeating({ run, intervalMs, onError }: RepeatOptions): { stop(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let stopped = false;
  const schedule = () => {
    timer = setTimeout(() => {
      running = run()
        .catch(onError)
        .finally(() => {
          if (!stopped) schedule();
        });
    }, intervalMs).unref();
  };
  schedule();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
