import { describe, expect, it } from '@jest/globals';
import { GroupState } from '../../../../src/capacity/manager/group-state.js';
import { collectLog, group, task } from './support.js';

function makeState(cooldownSeconds = 0, listsAtOnce = false) {
  const clock = { ms: 1_000_000 };
  const jitter = { value: 1 };
  const { log, lines } = collectLog();
  const state = new GroupState({
    group: group('a', { cooldownSeconds }),
    now: () => clock.ms,
    random: () => jitter.value,
    log,
    listsAtOnce,
  });
  return { clock, jitter, lines, state };
}

describe('GroupState.countExisting', () => {
  it('counts listed tasks and launches that are not listed yet', () => {
    const { state } = makeState();
    state.recordLaunch([task('1'), task('2')]);
    expect(state.countExisting([])).toBe(2);
    expect(state.countExisting([task('1'), task('by hand')])).toBe(3);
  });

  it('counts a launch that was listed once by later lists alone', () => {
    const { state } = makeState();
    state.recordLaunch([task('1')]);
    expect(state.countExisting([task('1')])).toBe(1);
    expect(state.countExisting([])).toBe(0);
  });

  it('does not count a launch that was not listed for a minute', () => {
    const { state, clock } = makeState();
    state.recordLaunch([task('1')]);
    clock.ms += 60_000;
    expect(state.countExisting([])).toBe(1);
    clock.ms += 1;
    expect(state.countExisting([])).toBe(0);
  });
});

describe('GroupState.recordLaunch', () => {
  it('delays the next launch by the cooldown', () => {
    const { state, clock } = makeState(30);
    expect(state.launchDelayMs()).toBe(0);
    state.recordLaunch([task('1')]);
    expect(state.launchDelayMs()).toBe(30_000);
    clock.ms += 29_999;
    expect(state.launchDelayMs()).toBe(1);
    clock.ms += 1;
    expect(state.launchDelayMs()).toBe(0);
  });

  it('delays nothing when no task was started', () => {
    const { state } = makeState(30);
    state.recordLaunch([]);
    expect(state.launchDelayMs()).toBe(0);
  });
});

describe('GroupState.recordFailure', () => {
  it('delays the next launch longer each time, up to five minutes', () => {
    const { state } = makeState();
    const delays = Array.from({ length: 12 }, () => {
      state.recordFailure('throttled');
      return state.launchDelayMs();
    });
    expect(delays.slice(0, 4)).toEqual([1000, 2000, 4000, 8000]);
    expect(delays.slice(-3)).toEqual([300_000, 300_000, 300_000]);
  });

  it.each([
    [0, 2000],
    [0.25, 2500],
    [0.999999, 4000],
  ])('delays, at jitter %f, the launch after three failures by %d ms', (random, ms) => {
    const { state, jitter } = makeState();
    jitter.value = random;
    for (let n = 0; n < 3; n += 1) state.recordFailure('throttled');
    expect(Math.round(state.launchDelayMs())).toBe(ms);
  });

  it('does not shorten a cooldown', () => {
    const { state } = makeState(60);
    state.recordLaunch([task('1')], false);
    state.recordFailure('no capacity');
    expect(state.launchDelayMs()).toBe(60_000);
  });

  it('is forgotten after a launch that works', () => {
    const { state } = makeState();
    state.recordFailure('throttled');
    state.recordFailure('throttled');
    expect(state.lastError()).toBe('throttled');
    state.recordLaunch([task('1')]);
    expect(state.lastError()).toBeNull();
    expect(state.launchDelayMs()).toBe(0);
    state.recordFailure('throttled');
    expect(state.launchDelayMs()).toBe(1000);
  });

  it('logs one line for each change of state', () => {
    const { state, lines } = makeState();
    for (let n = 0; n < 5; n += 1) state.recordFailure('throttled');
    for (let n = 0; n < 5; n += 1) state.recordFailure('no capacity');
    for (let n = 0; n < 5; n += 1) state.recordLaunch([task(`${n}`)]);
    state.recordFailure('throttled');
    expect(lines.map(({ level, group: name }) => [level, name])).toEqual([
      [40, 'a'],
      [40, 'a'],
      [30, 'a'],
      [40, 'a'],
    ]);
  });
});

describe('GroupState with workers that end as soon as they have started', () => {
  const crash = ({ state, clock }: ReturnType<typeof makeState>, arn: string) => {
    state.recordLaunch([task(arn)]);
    clock.ms += 500;
    state.countExisting([task(arn)]);
    clock.ms += 500;
    state.countExisting([]);
  };

  it('delays the next launch longer each time, up to a minute, and logs once', () => {
    const fixture = makeState();
    const delays = Array.from({ length: 10 }, (_, n) => {
      crash(fixture, `${n}`);
      return fixture.state.launchDelayMs();
    });
    expect(delays.slice(0, 3)).toEqual([1000, 2000, 4000]);
    expect(delays.at(-1)).toBe(60_000);
    expect(fixture.state.lastError()).toContain('see their log');
    expect(fixture.lines).toHaveLength(1);
  });

  it('forgets the crashes after a worker that stays alive', () => {
    const fixture = makeState();
    crash(fixture, '1');
    fixture.state.recordLaunch([task('2')]);
    fixture.clock.ms += 3_001;
    fixture.state.countExisting([task('2')]);
    expect(fixture.state.lastError()).toBeNull();
    crash(fixture, '3');
    expect(fixture.state.launchDelayMs()).toBe(1000);
  });

  it('does not count workers that end after their work as crashes', () => {
    const { state, clock } = makeState();
    state.recordLaunch([task('1')]);
    state.countExisting([task('1')]);
    clock.ms += 3_001;
    state.countExisting([]);
    expect([state.launchDelayMs(), state.lastError()]).toEqual([0, null]);
  });

  it('notices crashes of workers that were never listed where launches are listed immediately', () => {
    const { state } = makeState(0, true);
    state.recordLaunch([task('1')]);
    expect(state.countExisting([])).toBe(0);
    expect([state.launchDelayMs(), state.lastError()]).toEqual([1000, expect.stringContaining('see their log')]);
  });
});
