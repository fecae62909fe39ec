/** Memory in MiB that Fargate offers for each number of CPU units: from, to, in steps of. */
const memoryOf = new Map<number, { from: number; to: number; step: number }>([
  [512, { from: 1024, to: 4096, step: 1024 }],
  [1024, { from: 2048, to: 8192, step: 1024 }],
  [2048, { from: 4096, to: 16_384, step: 1024 }],
  [4096, { from: 8192, to: 30_720, step: 1024 }],
  [8192, { from: 16_384, to: 61_440, step: 4096 }],
  [16_384, { from: 32_768, to: 122_880, step: 8192 }],
]);

export interface FargateProblem {
  field: 'cpu' | 'memory';
  message: string;
}

/** What is wrong with a task's size on Fargate; undefined when it can run. */
export function fargateProblem(cpu: number, memoryMiB: number): FargateProblem | undefined {
  if (cpu === 256) {
    return [512, 1024, 2048].includes(memoryMiB)
      ? undefined
      : { field: 'memory', message: 'expected 512, 1024 or 2048 MiB with cpu 256' };
  }
  const range = memoryOf.get(cpu);
  if (!range) return { field: 'cpu', message: `expected one of 256, ${[...memoryOf.keys()].join(', ')} CPU units` };
  const { from, to, step } = range;
  if (memoryMiB >= from && memoryMiB <= to && (memoryMiB - from) % step === 0) return undefined;
  return { field: 'memory', message: `expected ${from} to ${to} MiB in steps of ${step} with cpu ${cpu}` };
}
