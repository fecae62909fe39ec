import { describe, expect, it } from '@jest/globals';
import { parseDeployment } from '../../../src/deployment/load.js';
import { parseEcrImage } from '../../../src/infra/image-names.js';
import { toJobTypeEnvironment } from '../../../src/infra/manager-variables.js';
import { toFirstBootCommands, toMountScript } from '../../../src/infra/mount-script.js';
import { toProgramEnvironment } from '../../../src/infra/program-environment.js';
import { sampleWith } from '../../support/templates.js';

const scaling = { min: 0, max: 3, factor: 3.3, sensitivity: 2.6, cooldownSeconds: 60 };
const worker = { name: 'w', jobTypes: ['A', 'B'], image: 'reefguide', cpu: 256, memoryLimitMiB: 512, scaling };
const target = { taskDefinition: 'family:1', cluster: 'c', securityGroup: 'sg-1' };

describe('jobTypeEnvironment', () => {
  it('gives the types of one worker the same variables, and so one group', () => {
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

  it('says when a worker may run on Spot', () => {
    expect(toJobTypeEnvironment([{ config: { ...worker, spot: true }, ...target }]).B_SPOT).toBe('true');
  });
});

describe('parseEcrImage', () => {
  const registry = '123456789012.dkr.ecr.ap-southeast-2.amazonaws.com';
  const parts = { account: '123456789012', region: 'ap-southeast-2', repository: 'team/worker' };
  const digest = `sha256:${'a'.repeat(64)}`;

  it.each([
    [`${registry}/team/worker`, { ...parts, tagOrDigest: 'latest' }],
    [`${registry}/team/worker:1.2`, { ...parts, tagOrDigest: '1.2' }],
    [`${registry}/team/worker@${digest}`, { ...parts, tagOrDigest: digest }],
    [`${registry}/team/worker:1.2@${digest}`, { ...parts, tagOrDigest: digest }],
    ['images.example.com/team/worker:1.2', undefined],
    ['images.example.org:5000/library/alpine:3.22', undefined],
    ['reefguide', undefined],
  ])('reads %s', (image, read) => {
    expect(parseEcrImage(image)).toEqual(read);
  });
});

describe('mountScript', () => {
  it('mounts over TLS, with the role of the instance, through the access point', () => {
    const script = toMountScript('fs-1', 'fsap-1');
    expect(script).toContain('mount -t efs -o tls,iam,accesspoint=fsap-1 fs-1:/ /efs/data');
    expect(toFirstBootCommands(script)[0]).toBe(`cat > /home/ubuntu/mountefs.sh <<'MOUNTEFS'\n${script}MOUNTEFS`);
  });
});

describe('programEnvironment', () => {
  const resources = {
    resultsBucketName: 'results',
    clusterName: 'cluster',
    serviceName: 'service',
    adminSecretArn: 'admin',
    managerSecretArn: 'manager',
    workerSecretArn: 'worker',
    databaseSecretArn: undefined,
    executions: {},
  };

  it('leaves the region to Lambda, which sets it itself', async () => {
    const deployment = parseDeployment(JSON.stringify(await sampleWith()), 'test');
    expect(toProgramEnvironment(deployment, resources, 'lambda')).not.toHaveProperty('AWS_REGION');
    expect(toProgramEnvironment(deployment, resources, 'container')).toMatchObject({ AWS_REGION: 'ap-southeast-2' });
  });

  it('names Sentry and a database only where there are any', async () => {
    const deployment = parseDeployment(JSON.stringify(await sampleWith({ monitoring: undefined })), 'test');
    const environment = toProgramEnvironment(deployment, resources, 'lambda');
    expect(Object.keys(environment)).not.toEqual(expect.arrayContaining(['SENTRY_DSN']));
    expect(Object.keys(environment)).not.toEqual(expect.arrayContaining(['DATABASE_SECRET_ARN']));
  });
});
