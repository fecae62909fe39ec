import { describe, expect, it } from '@jest/globals';
import { booleanPointInPolygon } from '@turf/boolean-point-in-polygon';
import fc from 'fast-check';
import { z } from 'zod';

// Compares the halving of the grid with slow and plain checks of each candidate, on random reefs with lagoons.

type Ring = [number, number][];

const gridSchema = z.object({
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
  columns: z.number(),
  rows: z.number(),
});
const library: unknown = await import(new URL('../../../examples/workers/lib/grid.mjs', import.meta.url).href);
const { gridOver, layShares } = z
  .object({
    gridOver: z.custom<(...args: unknown[]) => unknown>((value) => typeof value === 'function'),
    layShares: z.custom<(...args: unknown[]) => unknown>((value) => typeof value === 'function'),
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

/** Draws a star-shaped reef; the lagoon is a smaller copy, so the lagoon lies inside. */
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

/** Tells whether a segment has a point inside a rectangle, sides not included (Liang and Barsky's test). */
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

/** Returns the signed area of a ring that is clipped to a rectangle, side by side. */
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
  const shares = z.instanceof(Float64Array).parse(layShares({ rings }, grid, threshold));
  const candidates = Array.from({ length: grid.rows * grid.columns }, (_, i) => {
    const [row, column] = [Math.floor(i / grid.columns), i % grid.columns];
    const [west, south] = [grid.x + column * grid.width, grid.y + row * grid.height];
    return { key: `${row},${column}`, west, south, east: west + grid.width, north: south + grid.height };
  });
  const kept = new Map(candidates.flatMap(({ key }, i) => (shares[i] ? [[key, shares[i]]] : [])));
  return { kept, candidates };
}

describe('layShares', () => {
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
          const centre = [(box.west + box.east) / 2, (box.south + box.north) / 2];
          return (
            booleanPointInPolygon(centre, { type: 'Polygon', coordinates: rings }) &&
            ![...edges(rings)].some((edge) => enters(edge, inner))
          );
        });
        expect([...kept.keys()]).toEqual(expected.map(({ key }) => key));
      }),
      { numRuns: 150, seed: 20240901 },
    );
  });

  it('keeps exactly the sites whose clipped area reaches the threshold and returns the share', () => {
    fc.assert(
      fc.property(reef, side, side, fc.integer({ min: 0, max: 99 }), (rings, xDist, yDist, threshold) => {
        const { kept, candidates } = lay(rings, xDist, yDist, threshold);
        for (const box of candidates) {
          const share = rings.reduce((sum, ring) => sum + clippedArea(ring, box), 0) / (xDist * yDist);
          const keptShare = kept.get(box.key);
          if (keptShare !== undefined) expect(keptShare).toBeCloseTo(share, 6);
          const undecided = Math.abs(share - threshold / 100) < 1e-6;
          if (!undecided) expect(keptShare !== undefined).toBe(share > threshold / 100);
        }
      }),
      { numRuns: 150, seed: 20240902 },
    );
  });
});
