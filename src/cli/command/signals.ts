export type SignalSource = Pick<NodeJS.EventEmitter, 'on' | 'removeListener'>;

/** Calls `onSignal` at each of the named signals until the returned function is called. */
export function listenForSignals(
  names: readonly NodeJS.Signals[],
  onSignal: (name: NodeJS.Signals) => void,
  source: SignalSource = process,
): () => void {
  for (const name of names) source.on(name, onSignal);
  return () => {
    for (const name of names) source.removeListener(name, onSignal);
  };
}

/** A signal repeated within this time comes from a launcher: npm and tsx forward a Ctrl+C that the terminal sends too. */
const forwardedWithinMs = 200;

interface AbortOptions {
  names?: readonly NodeJS.Signals[];
  source?: SignalSource;
  /** Ends the process at once. */
  exit?(code: number): void;
  now?(): number;
}

/** Aborts at the first of the named signals, the reason. A second signal, unless forwarded, exits with 130. */
export function abortOnSignal(options: AbortOptions = {}): { signal: AbortSignal; stopListening(): void } {
  const { names = ['SIGINT', 'SIGTERM', 'SIGHUP'], source = process, exit = process.exit, now = Date.now } = options;
  const controller = new AbortController();
  let abortedAtMs = 0;
  const onSignal = (name: NodeJS.Signals) => {
    if (!controller.signal.aborted) {
      abortedAtMs = now();
      controller.abort(name);
    } else if (name !== controller.signal.reason || now() - abortedAtMs > forwardedWithinMs) {
      exit(130);
    }
  };
  return { signal: controller.signal, stopListening: listenForSignals(names, onSignal, source) };
}

/** Resolves with the first SIGINT, SIGTERM or SIGHUP. A second signal ends the process at once, with exit code 130. */
export function waitForStopSignal(): Promise<NodeJS.Signals> {
  const { signal } = abortOnSignal();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
}
