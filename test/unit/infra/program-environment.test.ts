import { describe, expect, it } from '@jest/globals';
import { parseDeployment } from '../../../src/deployment/load.js';
import { toProgramEnvironment } from '../../../src/infra/program-environment.js';
import { sampleWith } from '../../support/sample-deployment.js';

describe('toProgramEnvironment', () => {
  it('sets no region on Lambda', () => {
    const deployment = parseDeployment(sampleWith(), 'test');
    expect(toProgramEnvironment(deployment, {}, {}, 'lambda')).not.toHaveProperty('AWS_REGION');
    expect(toProgramEnvironment(deployment, {}, {}, 'container')).toMatchObject({ AWS_REGION: 'ap-southeast-2' });
  });

  it('leaves out Sentry and the database when not configured', () => {
    const deployment = parseDeployment(sampleWith({ monitoring: undefined }), 'test');
    const environment = toProgramEnvironment(deployment, {}, {}, 'lambda');
    expect(Object.keys(environment)).not.toEqual(expect.arrayContaining(['SENTRY_DSN']));
    expect(Object.keys(environment)).not.toEqual(expect.arrayContaining(['DATABASE_SECRET_ARN']));
  });
});
