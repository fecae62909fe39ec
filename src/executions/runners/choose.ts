import path from 'node:path';
import type { Logger } from 'pino';
import type { Aws } from '../../aws/clients.js';
import type { ServerEnvironment } from '../../environment/server.js';
import type { ContainerEngine } from './local/container-engine.js';
import type { CommandRunner } from './runner.js';

const engines: Record<ServerEnvironment['EXECUTION_ENGINE'], readonly ContainerEngine[]> = {
  auto: ['docker', 'podman'],
  docker: ['docker'],
  podman: ['podman'],
  none: [],
};

/**
 * Returns the runner of commands: on ECS when a cluster is configured, else on this machine. Returns undefined in
 * production without a cluster, because commands must not run on the server.
 */
export async function chooseCommandRunner(
  environment: ServerEnvironment,
  home: string,
  aws: Aws,
  log: Logger,
): Promise<CommandRunner | undefined> {
  const { EXECUTION_SECURITY_GROUP: securityGroup, EXECUTION_LOG_GROUP: logGroup } = environment;
  const { EXECUTION_CLUSTER: cluster, EXECUTION_ENGINE: engine } = environment;
  if (cluster && securityGroup && logGroup) {
    const { EcsCommandRunner } = await import('./ecs/runner.js');
    return new EcsCommandRunner({
      aws,
      settings: {
        cluster,
        securityGroup,
        subnets: environment.EXECUTION_SUBNETS,
        logGroup,
        region: environment.AWS_REGION,
        executionRoleArn: environment.EXECUTION_ROLE_ARN,
        taskRoleArn: environment.EXECUTION_TASK_ROLE_ARN,
        familyPrefix: environment.EXECUTION_FAMILY_PREFIX,
        gitImage: environment.EXECUTION_GIT_IMAGE,
      },
      log,
    });
  }
  if (environment.NODE_ENV === 'production') return undefined;
  const { openLocalCommandRunner } = await import('./local/runner.js');
  return openLocalCommandRunner({
    directory: path.join(home, 'executions'),
    engines: engines[engine],
    engineOnly: engine === 'docker' || engine === 'podman',
    env: process.env,
    now: Date.now,
  });
}
