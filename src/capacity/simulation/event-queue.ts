import TinyQueue from 'tinyqueue';

type SimulatedEvent = { atMs: number; order: number; run(): void };

/** Simulated clock. Runs events as time passes, in order of time, then in order of scheduling. */
export class EventQueue {
  private readonly events = new TinyQueue<SimulatedEvent>([], (a, b) => a.atMs - b.atMs || a.order - b.order);
  private scheduled = 0;
  /** Time in milliseconds from the start. */
  nowMs = 0;

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
        this.nowMs = Math.max(this.nowMs, untilMs);
        return;
      }
      this.events.pop();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
  }
}
