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

export interface SignalAbort {
  /** Aborts at the first signal, with the name of the signal as the reason. */
  signal: AbortSignal;
  stopListening(): void;
}

/** Aborts at the first of the named signals. A second signal ends the process at once, with exit code 130. */
export function abortOnSignal(names: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']): SignalAbort {
  const controller = new AbortController();
  const stopListening = listenForSignals(names, (name) => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(name);
  });
  return { signal: controller.signal, stopListening };
}

/** Resolves with the first SIGINT, SIGTERM or SIGHUP. A second signal ends the process at once, with exit code 130. */
export function waitForStopSignal(): Promise<NodeJS.Signals> {
  const { signal } = abortOnSignal();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
}
