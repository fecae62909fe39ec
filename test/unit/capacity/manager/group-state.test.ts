import { describe, expect, it } from '@jest/globals';
import { createGroupState } from '../../../../src/capacity/manager/group-state.js';
import { collectingLog, group, task } from './support.js';

function stateOf(cooldownSeconds = 0, listsAtOnce = false) {
  const clock = { ms: 1_000_000 };
  const dice = { value: 1 };
  const { log, lines } = collectingLog();
  const state = createGroupState(group('a', { cooldownSeconds }), {
    now: () => clock.ms,
    random: () => dice.value,
    log,
    listsAtOnce,
  });
  return { clock, dice, lines, state };
}

describe('existing tasks', () => {
  it('are those listed and launches that are not listed yet', () => {
    const { state } = stateOf();
    state.launched([task('1'), task('2')]);
    expect(state.existing([])).toBe(2);
    expect(state.existing([task('1'), task('by hand')])).toBe(3);
  });

  it('count a launch once it was listed by the list alone', () => {
    const { state } = stateOf();
    state.launched([task('1')]);
    expect(state.existing([task('1')])).toBe(1);
    expect(state.existing([])).toBe(0);
  });

  it('do not count a launch that was not listed for a minute', () => {
    const { state, clock } = stateOf();
    state.launched([task('1')]);
    clock.ms += 60_000;
    expect(state.existing([])).toBe(1);
    clock.ms += 1;
    expect(state.existing([])).toBe(0);
  });
});

describe('a launch', () => {
  it('holds the group for its cooldown', () => {
    const { state, clock } = stateOf(30);
    expect(state.heldMs()).toBe(0);
    state.launched([task('1')]);
    expect(state.heldMs()).toBe(30_000);
    clock.ms += 29_999;
    expect(state.heldMs()).toBe(1);
    clock.ms += 1;
    expect(state.heldMs()).toBe(0);
  });

  it('of nothing holds nothing', () => {
    const { state } = stateOf(30);
    state.launched([]);
    expect(state.heldMs()).toBe(0);
  });
});

describe('failures', () => {
  it('hold the group longer each time, up to five minutes', () => {
    const { state } = stateOf();
    const held = Array.from({ length: 12 }, () => {
      state.failed('throttled');
      return state.heldMs();
    });
    expect(held.slice(0, 4)).toEqual([1000, 2000, 4000, 8000]);
    expect(held.slice(-3)).toEqual([300_000, 300_000, 300_000]);
  });

  it.each([
    [0, 2000],
    [0.25, 2500],
    [0.999999, 4000],
  ])('are jittered between half and the whole: %d', (random, ms) => {
    const { state, dice } = stateOf();
    dice.value = random;
    for (let n = 0; n < 3; n += 1) state.failed('throttled');
    expect(Math.round(state.heldMs())).toBe(ms);
  });

  it('do not shorten a cooldown', () => {
    const { state } = stateOf(60);
    state.launched([task('1')], false);
    state.failed('no capacity');
    expect(state.heldMs()).toBe(60_000);
  });

  it('end with a launch that works', () => {
    const { state } = stateOf();
    state.failed('throttled');
    state.failed('throttled');
    expect(state.lastError()).toBe('throttled');
    state.launched([task('1')]);
    expect(state.lastError()).toBeNull();
    expect(state.heldMs()).toBe(0);
    state.failed('throttled');
    expect(state.heldMs()).toBe(1000);
  });

  it('are logged in one line for each change of state', () => {
    const { state, lines } = stateOf();
    for (let n = 0; n < 5; n += 1) state.failed('throttled');
    for (let n = 0; n < 5; n += 1) state.failed('no capacity');
    for (let n = 0; n < 5; n += 1) state.launched([task(`${n}`)]);
    state.failed('throttled');
    expect(lines.map(({ level, group: name }) => [level, name])).toEqual([
      [40, 'a'],
      [40, 'a'],
      [30, 'a'],
      [40, 'a'],
    ]);
  });
});

describe('workers that end as soon as they have started', () => {
  const crash = ({ state, clock }: ReturnType<typeof stateOf>, arn: string) => {
    state.launched([task(arn)]);
    clock.ms += 500;
    state.existing([task(arn)]);
    clock.ms += 500;
    state.existing([]);
  };

  it('hold the group longer each time, up to a minute, and are shown and logged once', () => {
    const given = stateOf();
    const held = Array.from({ length: 10 }, (_, n) => {
      crash(given, `${n}`);
      return given.state.heldMs();
    });
    expect(held.slice(0, 3)).toEqual([1000, 2000, 4000]);
    expect(held.at(-1)).toBe(60_000);
    expect(given.state.lastError()).toContain('see their log');
    expect(given.lines).toHaveLength(1);
  });

  it('are forgiven by one that lives', () => {
    const given = stateOf();
    crash(given, '1');
    given.state.launched([task('2')]);
    given.clock.ms += 3_001;
    given.state.existing([task('2')]);
    expect(given.state.lastError()).toBeNull();
    crash(given, '3');
    expect(given.state.heldMs()).toBe(1000);
  });

  it('are not those that left after their work', () => {
    const { state, clock } = stateOf();
    state.launched([task('1')]);
    state.existing([task('1')]);
    clock.ms += 3_001;
    state.existing([]);
    expect([state.heldMs(), state.lastError()]).toEqual([0, null]);
  });

  it('are noticed before they were ever listed where launches are listed at once', () => {
    const { state } = stateOf(0, true);
    state.launched([task('1')]);
    expect(state.existing([])).toBe(0);
    expect([state.heldMs(), state.lastError()]).toEqual([1000, expect.stringContaining('see their log')]);
  });
});
