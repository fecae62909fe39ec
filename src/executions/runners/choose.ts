import path from 'node:path';
import type { Logger } from 'pino';
import type { Aws } from '../../aws/clients.js';
import type { ServerEnvironment } from '../../environment/server.js';
import type { CommandRunner } from './runner.js';

/** Where commands run: on ECS where a cluster is named; otherwise on this machine, but not in production. */
export async function commandRunner(options: {
  environment: ServerEnvironment;
  home: string;
  aws: Aws;
  log: Logger;
}): Promise<CommandRunner | undefined> {
  const { environment, home, aws, log } = options;
  const {
    EXECUTION_CLUSTER: cluster,
    EXECUTION_SECURITY_GROUP: securityGroup,
    EXECUTION_LOG_GROUP: logGroup,
    EXECUTION_ENGINE: engine,
  } = environment;
  if (cluster && securityGroup && logGroup) {
    const { createEcsCommandRunner } = await import('./ecs/runner.js');
    const settings = {
      cluster,
      securityGroup,
      subnets: environment.EXECUTION_SUBNETS,
      logGroup,
      region: environment.AWS_REGION,
      executionRoleArn: environment.EXECUTION_ROLE_ARN,
      taskRoleArn: environment.EXECUTION_TASK_ROLE_ARN,
      familyPrefix: environment.EXECUTION_FAMILY_PREFIX,
      gitImage: environment.EXECUTION_GIT_IMAGE,
    };
    return createEcsCommandRunner({ aws, settings, log });
  }
  if (environment.NODE_ENV === 'production') return undefined;
  const { createLocalCommandRunner } = await import('./local/runner.js');
  return createLocalCommandRunner({
    folder: path.join(home, 'executions'),
    engines: engine === 'auto' ? ['docker', 'podman'] : engine === 'none' ? [] : [engine],
    // Who names an engine means it.
    engineOnly: engine === 'docker' || engine === 'podman',
    env: process.env,
    now: Date.now,
  });
}
