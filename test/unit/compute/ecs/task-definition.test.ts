import { describe, expect, it } from '@jest/globals';
import { toTaskFamily } from '../../../../src/compute/ecs/task-definition.js';

describe('toTaskFamily', () => {
  it.each([
    ['reef', 'reef'],
    ['reef:12', 'reef'],
    ['arn:aws:ecs:ap-southeast-2:123456789012:task-definition/reef-worker:3', 'reef-worker'],
    ['arn:aws-cn:ecs:cn-north-1:123456789012:task-definition/reef', 'reef'],
  ])('%s → %s', (taskDefinition, family) => {
    expect(toTaskFamily(taskDefinition)).toBe(family);
  });
});
