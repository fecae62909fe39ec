import TinyQueue from 'tinyqueue';

interface SimulatedEvent {
  atMs: number;
  /** Distinguishes events of the same time. */
  order: number;
  run(): void;
}

/** Simulated clock. Runs events as time passes, in order of time, then in order of scheduling. */
export class EventQueue {
  private readonly events = new TinyQueue<SimulatedEvent>([], (a, b) => a.atMs - b.atMs || a.order - b.order);
  private scheduled = 0;
  private currentMs = 0;

  get nowMs(): number {
    return this.currentMs;
  }

  /** Schedules `run` for a time, in milliseconds from the start. */
  schedule(atMs: number, run: () => void): void {
    this.scheduled += 1;
    this.events.push({ atMs, order: this.scheduled, run });
  }

  /** Lets time pass until `untilMs`, or until `isDone` returns true after an event. */
  advance(untilMs: number, isDone: () => boolean = () => false): void {
    while (!isDone()) {
      const next = this.events.peek();
      if (!next || next.atMs > untilMs) {
        this.currentMs = Math.max(this.currentMs, untilMs);
        return;
      }
      this.events.pop();
      this.currentMs = Math.max(this.currentMs, next.atMs);
      next.run();
    }
  }
}
