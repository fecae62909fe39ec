import { describe, expect, it } from '@jest/globals';
import { findFargateProblem } from '../../../src/aws/fargate-sizes.js';

describe('findFargateProblem', () => {
  it.each([
    [256, 512],
    [256, 2048],
    [512, 4096],
    [1024, 2048],
    [4096, 30_720],
    [8192, 16_384],
    [16_384, 122_880],
  ])('accepts cpu %d with %d MiB', (cpu, memory) => {
    expect(findFargateProblem(cpu, memory)).toBeUndefined();
  });

  it.each([
    [128, 512, 'cpu'],
    [256, 4096, 'memory'],
    [512, 512, 'memory'],
    [1024, 2500, 'memory'],
    [8192, 17_408, 'memory'],
    [16_384, 131_072, 'memory'],
  ])('rejects cpu %d with %d MiB', (cpu, memory, field) => {
    expect(findFargateProblem(cpu, memory)?.field).toBe(field);
  });
});
