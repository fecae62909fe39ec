import { expect, it } from '@jest/globals';
import { createOffers } from '../../../src/jobs/poll-order.js';

const jobs = [{ id: 1 }, { id: 2 }, { id: 3 }];
const ids = (arranged: { id: number }[]) => arranged.map(({ id }) => id);

function offersAt(start = 0) {
  const clock = { ms: start };
  return { clock, offers: createOffers(() => clock.ms) };
}

it('one caller alone always sees the strict order', () => {
  const { offers } = offersAt();
  for (let n = 0; n < 3; n += 1) expect(ids(offers.arrange(jobs, 3, 'a'))).toEqual([1, 2, 3]);
});

it('callers at the same instant are shown different jobs first', () => {
  const { offers } = offersAt();
  expect(['a', 'b', 'c'].map((caller) => offers.arrange(jobs, 1, caller)[0]?.id)).toEqual([1, 2, 3]);
});

it('what others were shown first comes last, but is not hidden', () => {
  const { offers } = offersAt();
  offers.arrange(jobs, 3, 'a');
  expect(ids(offers.arrange(jobs, 3, 'b'))).toEqual([2, 3, 1]);
});

it('more callers than jobs still see all of them', () => {
  const { offers } = offersAt();
  for (const caller of ['a', 'b', 'c', 'd']) expect(ids(offers.arrange(jobs, 3, caller)).sort()).toEqual([1, 2, 3]);
});

it('an offer that was not taken within 100 ms is shown to others again', () => {
  const { offers, clock } = offersAt();
  offers.arrange(jobs, 1, 'a');
  clock.ms = 99;
  expect(ids(offers.arrange(jobs, 1, 'b'))).toEqual([2]);
  clock.ms = 100;
  expect(ids(offers.arrange(jobs, 1, 'c'))).toEqual([1]);
});

it('shows no more than the limit, and nothing when nothing waits', () => {
  const { offers } = offersAt();
  expect(offers.arrange(jobs, 2, 'a')).toHaveLength(2);
  expect(offers.arrange([], 2, 'a')).toEqual([]);
});
