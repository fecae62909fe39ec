import type * as ecs from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import type { Deployment } from '../../deployment/schema.js';
import { toContainerImage } from '../images.js';
import type { DataFiles } from './data-files.js';
import { createBalancedService, createFargateTask } from './fargate.js';
import type { Networking } from './networking.js';

export interface ReefGuideApiProps {
  stackName: string;
  config: Deployment['reefGuideAPI'];
  domainName: string;
  networking: Networking;
  files: DataFiles;
  program: ecs.ContainerImage;
}

/** ReefGuideAPI (Julia), which reads the data of the file system. */
export class ReefGuideApi extends Construct {
  readonly service: ecs.FargateService;

  constructor(scope: Construct, id: string, props: ReefGuideApiProps) {
    super(scope, id);
    const { config } = props;
    const image = `${config.reefGuideDockerImage}:${config.reefGuideDockerImageTag}`;
    const definition = createFargateTask(this, 'Task', {
      family: `${props.stackName}-reefguide-api`,
      cpu: config.cpu,
      memoryLimitMiB: config.memory,
      image: toContainerImage(this, 'Image', image, props.program),
      portMappings: [{ containerPort: config.port }],
    });
    props.files.mountIn(definition, { readOnly: false });
    const { service, group } = createBalancedService(this, {
      networking: props.networking,
      definition,
      port: config.port,
      domainName: props.domainName,
      priority: 20,
      healthPath: '/health',
      // Covers compiling and loading the data.
      startSeconds: 900,
      autoScaling: config.autoScaling,
    });
    props.files.openTo(group, 'ReefGuideAPI');
    service.node.addDependency(props.files.ready);
    this.service = service;
  }
}
