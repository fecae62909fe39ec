import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { isInside, type Ring, workersFolder } from './support.js';

// The sweep over rows, against slow and plain checks of each candidate by itself, on random reefs with lagoons.

const gridSchema = z.object({
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
  columns: z.number(),
  rows: z.number(),
});
const runsSchema = z.array(z.object({ row: z.number(), from: z.number(), to: z.number(), share: z.number() }));
const library: unknown = await import(join(workersFolder, 'lib', 'grid.mjs'));
const { gridOver, layRuns } = z
  .object({
    gridOver: z.custom<(...args: unknown[]) => unknown>((value) => typeof value === 'function'),
    layRuns: z.custom<(...args: unknown[]) => unknown>((value) => typeof value === 'function'),
  })
  .parse(library);

type Rectangle = { west: number; south: number; east: number; north: number };

const star = fc
  .record({
    radii: fc.array(fc.integer({ min: 80, max: 900 }), { minLength: 4, maxLength: 24 }),
    turn: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ radii, turn }) =>
    radii.map((radius, i): [number, number] => {
      const angle = ((i + turn) / radii.length) * 2 * Math.PI;
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    }),
  );

/** A star-shaped reef; its lagoon is a smaller copy, which therefore lies inside. */
const reef = fc.tuple(star, fc.constantFrom(0, 0.2, 0.6)).map(([points, lagoon]): Ring[] => {
  const close = (ring: Ring): Ring => [...ring, ...ring.slice(0, 1)];
  const outer = close(points);
  if (lagoon === 0) return [outer];
  return [outer, close(points.map(([x, y]): [number, number] => [x * lagoon, y * lagoon]).reverse())];
});

const side = fc.integer({ min: 40, max: 200 });

function* edges(rings: Ring[]) {
  for (const ring of rings) {
    for (const [i, end] of ring.entries()) {
      const start = ring[i - 1];
      if (start) yield [start, end] as const;
    }
  }
}

/** Liang and Barsky's test: whether a segment has a point inside a rectangle, its sides not included. */
function enters([[x1, y1], [x2, y2]]: readonly [[number, number], [number, number]], box: Rectangle): boolean {
  let [from, to] = [0, 1];
  const walls = [
    [x1 - x2, x1 - box.west],
    [x2 - x1, box.east - x1],
    [y1 - y2, y1 - box.south],
    [y2 - y1, box.north - y1],
  ] as const;
  for (const [direction, distance] of walls) {
    if (direction === 0 && distance <= 0) return false;
    if (direction < 0) from = Math.max(from, distance / direction);
    if (direction > 0) to = Math.min(to, distance / direction);
  }
  return from < to;
}

/** Sutherland and Hodgman's clipping of a ring to a rectangle, then its signed area. */
function clippedArea(ring: Ring, box: Rectangle): number {
  const walls: ((p: [number, number]) => number)[] = [
    ([x]) => x - box.west,
    ([x]) => box.east - x,
    ([, y]) => y - box.south,
    ([, y]) => box.north - y,
  ];
  let points = ring.slice(1);
  for (const depth of walls) {
    points = points.flatMap((end, i): Ring => {
      const start = points.at(i - 1) ?? end;
      const [a, b] = [depth(start), depth(end)];
      const at = a / (a - b);
      const crossing: Ring =
        a >= 0 === b >= 0 ? [] : [[start[0] + (end[0] - start[0]) * at, start[1] + (end[1] - start[1]) * at]];
      return b >= 0 ? [...crossing, end] : crossing;
    });
  }
  return points.reduce((sum, [x, y], i) => {
    const [px, py] = points.at(i - 1) ?? [x, y];
    return sum + (px * y - x * py) / 2;
  }, 0);
}

function lay(rings: Ring[], xDist: number, yDist: number, threshold: number) {
  const grid = gridSchema.parse(gridOver({ rings }, xDist, yDist));
  const runs = runsSchema.parse(layRuns({ rings }, grid, threshold));
  const kept = new Map<string, number>();
  for (const { row, from, to, share } of runs) {
    for (let column = from; column <= to; column++) kept.set(`${row},${column}`, share);
  }
  const candidates = Array.from({ length: grid.rows * grid.columns }, (_, i) => {
    const [row, column] = [Math.floor(i / grid.columns), i % grid.columns];
    const [west, south] = [grid.x + column * grid.width, grid.y + row * grid.height];
    return { key: `${row},${column}`, west, south, east: west + grid.width, north: south + grid.height };
  });
  return { kept, candidates };
}

describe('the grid of candidate sites', () => {
  it('keeps exactly the sites that no edge enters and whose centre is on the reef', () => {
    fc.assert(
      fc.property(reef, side, side, (rings, xDist, yDist) => {
        const { kept, candidates } = lay(rings, xDist, yDist, 100);
        const expected = candidates.filter((box) => {
          const inner = {
            west: box.west + 0.001,
            south: box.south + 0.001,
            east: box.east - 0.001,
            north: box.north - 0.001,
          };
          const centre = [(box.west + box.east) / 2, (box.south + box.north) / 2] as const;
          return isInside(centre, rings) && ![...edges(rings)].some((edge) => enters(edge, inner));
        });
        expect([...kept.keys()]).toEqual(expected.map(({ key }) => key));
      }),
      { numRuns: 150, seed: 20240901 },
    );
  });

  it('keeps exactly the sites whose clipped area reaches the threshold, and tells that share', () => {
    fc.assert(
      fc.property(reef, side, side, fc.integer({ min: 0, max: 99 }), (rings, xDist, yDist, threshold) => {
        const { kept, candidates } = lay(rings, xDist, yDist, threshold);
        for (const box of candidates) {
          const share = rings.reduce((sum, ring) => sum + clippedArea(ring, box), 0) / (xDist * yDist);
          const found = kept.get(box.key);
          if (found !== undefined) expect(found).toBeCloseTo(share, 6);
          const undecided = Math.abs(share - threshold / 100) < 1e-6;
          if (!undecided) expect(found !== undefined).toBe(share > threshold / 100);
        }
      }),
      { numRuns: 150, seed: 20240902 },
    );
  });
});
