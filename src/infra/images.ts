import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import { parseEcrImage, programImage } from './image-names.js';

/** Returns the image of a task. A reference to an ECR repository also grants the permission to pull. */
export function toContainerImage(scope: Construct, id: string, image: string, program: ecs.ContainerImage) {
  if (image === programImage) return program;
  const parsed = parseEcrImage(image);
  if (!parsed) return ecs.ContainerImage.fromRegistry(image);
  const repository = ecr.Repository.fromRepositoryAttributes(scope, `${id}Repository`, {
    repositoryName: parsed.repository,
    repositoryArn: `arn:aws:ecr:${parsed.region}:${parsed.account}:repository/${parsed.repository}`,
  });
  return ecs.ContainerImage.fromEcrRepository(repository, parsed.tagOrDigest);
}
