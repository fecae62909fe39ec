import { Repository } from 'aws-cdk-lib/aws-ecr';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import { parseEcrImage, programImage } from './image-names.js';

/** Returns the image of a task. A reference to an ECR repository also grants the permission to pull. */
export function toContainerImage(scope: Construct, id: string, image: string, program: ContainerImage): ContainerImage {
  if (image === programImage) return program;
  const ecr = parseEcrImage(image);
  if (!ecr) return ContainerImage.fromRegistry(image);
  const repository = Repository.fromRepositoryAttributes(scope, `${id}Repository`, {
    repositoryName: ecr.repository,
    repositoryArn: `arn:aws:ecr:${ecr.region}:${ecr.account}:repository/${ecr.repository}`,
  });
  return ContainerImage.fromEcrRepository(repository, ecr.tagOrDigest);
}
