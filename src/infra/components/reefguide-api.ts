import type { ContainerImage, FargateService } from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import type { Deployment } from '../../deployment/load.js';
import { containerImage } from '../images.js';
import type { DataFiles } from './data-files.js';
import { balancedService, fargateTask } from './fargate.js';
import type { Networking } from './networking.js';

export interface ReefGuideApiProps {
  stackName: string;
  config: Deployment['reefGuideAPI'];
  domainName: string;
  networking: Networking;
  files: DataFiles;
  program: ContainerImage;
}

/** ReefGuideAPI (Julia), which answers from the data of the file system. */
export class ReefGuideApi extends Construct {
  readonly service: FargateService;

  constructor(scope: Construct, id: string, props: ReefGuideApiProps) {
    super(scope, id);
    const { config } = props;
    const image = `${config.reefGuideDockerImage}:${config.reefGuideDockerImageTag}`;
    const definition = fargateTask(this, 'Task', {
      family: `${props.stackName}-reefguide-api`,
      cpu: config.cpu,
      memoryLimitMiB: config.memory,
      image: containerImage(this, 'Image', image, props.program),
      portMappings: [{ containerPort: config.port }],
    });
    props.files.mountIn(definition, { readOnly: false });
    const { service, group } = balancedService(this, {
      networking: props.networking,
      definition,
      port: config.port,
      domainName: props.domainName,
      priority: 20,
      healthPath: '/health',
      // It compiles and reads its data first.
      startSeconds: 900,
      autoScaling: config.autoScaling,
    });
    props.files.openTo(group, 'ReefGuideAPI');
    service.node.addDependency(props.files.ready);
    this.service = service;
  }
}
