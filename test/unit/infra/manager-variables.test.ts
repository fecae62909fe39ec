import { describe, expect, it } from '@jest/globals';
import { toJobTypeEnvironment } from '../../../src/infra/manager-variables.js';

const scaling = { min: 0, max: 3, factor: 3.3, sensitivity: 2.6, cooldownSeconds: 60 };
const worker = { name: 'w', jobTypes: ['A', 'B'], image: 'reefguide', cpu: 256, memoryLimitMiB: 512, scaling };
const target = { taskDefinition: 'family:1', cluster: 'c', securityGroup: 'sg-1' };

describe('toJobTypeEnvironment', () => {
  it('gives the types of one worker the same variables', () => {
    const environment = toJobTypeEnvironment([{ config: worker, ...target }]);
    expect(environment).toMatchObject({
      A_TASK_DEF: 'family:1',
      B_TASK_DEF: 'family:1',
      A_MIN_CAPACITY: '0',
      A_MAX_CAPACITY: '3',
      A_COOLDOWN: '60',
      A_SENSITIVITY: '2.6',
      A_FACTOR: '3.3',
      A_SECURITY_GROUP: 'sg-1',
      A_SPOT: 'false',
    });
  });

  it('sets SPOT for a worker that may run on Spot', () => {
    expect(toJobTypeEnvironment([{ config: { ...worker, spot: true }, ...target }]).B_SPOT).toBe('true');
  });
});
