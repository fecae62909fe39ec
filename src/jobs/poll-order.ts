/** How long a job that was shown first to one worker is shown last to the others: it takes it within this time, or not. */
const offerMs = 100;

/** Jobs to look at beyond those asked for, so that there are some that nobody else was just shown. */
export const offerSlack = 32;

export interface Offers {
  /** The first `limit` of `jobs` for this caller: those that others were just shown first come last. */
  arrange<T extends { id: number }>(jobs: readonly T[], limit: number, caller: string): T[];
}

/**
 * Keeps racing workers of the three-call protocol out of each other's way. Each takes the first job that it is shown, so
 * showing all of them the same one makes all but one fail. Order is a courtesy here; who gets a job is decided by the
 * database. One caller alone always sees the strict order.
 */
export function createOffers(now: () => number): Offers {
  const shown = new Map<number, { caller: string; until: number }>();
  return {
    arrange(jobs, limit, caller) {
      const at = now();
      for (const [id, { until }] of shown) {
        if (until > at) break;
        shown.delete(id);
      }
      const isOthers = ({ id }: { id: number }) => {
        const offer = shown.get(id);
        return offer !== undefined && offer.until > at && offer.caller !== caller;
      };
      const arranged = [...jobs.filter((job) => !isOthers(job)), ...jobs.filter(isOthers)].slice(0, limit);
      const [first] = arranged;
      if (first) {
        // Taken out first, so that the map stays in order of expiry.
        shown.delete(first.id);
        shown.set(first.id, { caller, until: at + offerMs });
      }
      return arranged;
    },
  };
}
