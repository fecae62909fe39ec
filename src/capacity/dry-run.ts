import type { Api } from '../client/api.js';
import type { Compute } from '../compute/contract.js';

/** The API without what changes anything: no lease is taken, no report sent. */
export const readOnlyApi = (api: Api): Api => ({
  ...api,
  takeLease: async () => ({ held: true, expiresAt: '' }),
  releaseLease: async () => {},
  reportCapacity: async () => ({ recorded: 0 }),
});

/** A provider that says what it would launch, and launches nothing. */
export const dryRunCompute = (compute: Compute, say: (line: string) => void): Compute => ({
  ...compute,
  async launch({ group, count }) {
    say(`would launch ${count} ${count === 1 ? 'worker' : 'workers'} for ${group}`);
    return { started: [], failures: [] };
  },
});
