/** Memory in MiB on Fargate by CPU units. */
const memoryRanges = new Map<number, { min: number; max: number; step: number }>([
  [512, { min: 1024, max: 4096, step: 1024 }],
  [1024, { min: 2048, max: 8192, step: 1024 }],
  [2048, { min: 4096, max: 16_384, step: 1024 }],
  [4096, { min: 8192, max: 30_720, step: 1024 }],
  [8192, { min: 16_384, max: 61_440, step: 4096 }],
  [16_384, { min: 32_768, max: 122_880, step: 8192 }],
]);

export type FargateProblem = { field: 'cpu' | 'memory'; message: string };

/** Returns the problem of a task's size: 512, 1500 → `expected 1024 to 4096 MiB in steps of 1024 with cpu 512`. */
export function findFargateProblem(cpu: number, memoryMiB: number): FargateProblem | undefined {
  if (cpu === 256) {
    if ([512, 1024, 2048].includes(memoryMiB)) return undefined;
    return { field: 'memory', message: 'expected 512, 1024 or 2048 MiB with cpu 256' };
  }
  const range = memoryRanges.get(cpu);
  if (!range) return { field: 'cpu', message: `expected one of 256, ${[...memoryRanges.keys()].join(', ')} CPU units` };
  const { min, max, step } = range;
  if (memoryMiB >= min && memoryMiB <= max && (memoryMiB - min) % step === 0) return undefined;
  return { field: 'memory', message: `expected ${min} to ${max} MiB in steps of ${step} with cpu ${cpu}` };
}
