import { describe, expect, it } from '@jest/globals';
import { describeFault, planOf, routes } from './plan.ts';
import { randomOf } from './random.ts';

const seeds = Array.from({ length: 200 }, (_, index) => index * 7_919);

describe('The plan of a storm', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(planOf(42)).toEqual(planOf(42));
    expect(planOf(43)).not.toEqual(planOf(42));
  });

  it('holds every kind of fault on every way and process, over some seeds', () => {
    const faults = seeds.flatMap((seed) => planOf(seed).faults);
    const troubles = faults.flatMap((fault) => (fault.kind === 'trouble' ? [fault] : []));
    expect(new Set(troubles.map(({ trouble }) => trouble.kind)).size).toBe(5);
    for (const { of, part } of routes) {
      expect(troubles.some((each) => each.of === of && each.part === part)).toBe(true);
    }
    for (const kind of ['kill', 'pause'] as const) {
      const services = faults.flatMap((fault) => (fault.kind === kind ? [fault.service] : []));
      expect(new Set(services).size).toBe(4);
    }
  });

  it('ends every fault within seconds after the storm, and tells each in a line', () => {
    for (const { stormMs, faults } of seeds.map(planOf)) {
      for (const fault of faults) {
        expect(fault.atMs + ('forMs' in fault ? fault.forMs : 0)).toBeLessThan(stormMs + 4_000);
        expect(describeFault(fault)).toMatch(/^\d\.\d s \w+/);
      }
    }
  });
});

describe('Numbers of a seed', () => {
  it('fill their range, ends included', () => {
    const random = randomOf(1);
    const drawn = new Set(Array.from({ length: 500 }, () => random.whole(3, 6)));
    expect([...drawn].sort()).toEqual([3, 4, 5, 6]);
  });
});
