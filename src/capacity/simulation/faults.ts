/** Fault of one call: no action, a lost answer after the action, or fewer started tasks than requested. */
export type Fault = 'fails' | 'answer lost' | { starts: number };

export type SimulatedCall = 'list' | 'launch' | 'api';

export interface CallFaults {
  /** Decides the fault of each call; undefined: the call succeeds. */
  fault(call: SimulatedCall, nowMs: number): Fault | undefined;
}

/** Returns the fault of a call. Throws when the call fails before any action. */
export function failIfFaulty({ fault }: CallFaults, call: SimulatedCall, nowMs: number): Fault | undefined {
  const decided = fault(call, nowMs);
  if (decided === 'fails') throw new Error(`simulated: ${call} fails`);
  return decided;
}
