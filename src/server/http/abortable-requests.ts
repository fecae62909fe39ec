import type { Response } from 'express';

/** Aborts waiting requests: when the caller hangs up, after a time limit, or because the server stops. */
export class AbortableRequests {
  private readonly controllers = new Set<AbortController>();
  isStopping = false;

  /** `maxRequestMs` bounds how long a request waits; undefined: as long as the request asks for. */
  constructor(private readonly maxRequestMs: number | undefined) {}

  /** Returns a signal for the request. After the abort, the handler answers at once with the present state. */
  createSignal(response: Response): AbortSignal {
    const controller = new AbortController();
    this.controllers.add(controller);
    const timer =
      this.maxRequestMs === undefined ? undefined : setTimeout(() => controller.abort(), this.maxRequestMs).unref();
    response.once('close', () => {
      clearTimeout(timer);
      this.controllers.delete(controller);
      if (!response.writableFinished) controller.abort();
    });
    if (this.isStopping || response.destroyed) controller.abort();
    return controller.signal;
  }

  /** Aborts every signal, also of later requests. */
  abortAll(): void {
    this.isStopping = true;
    for (const controller of this.controllers) controller.abort();
  }
}
