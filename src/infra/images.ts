import { Repository } from 'aws-cdk-lib/aws-ecr';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import { parseEcrImage, programImage } from './image-names.js';

/** An image of a task; pulling one from ECR needs a permission, which this kind of reference brings along. */
export function containerImage(scope: Construct, id: string, image: string, program: ContainerImage): ContainerImage {
  if (image === programImage) return program;
  const ecr = parseEcrImage(image);
  if (!ecr) return ContainerImage.fromRegistry(image);
  const repository = Repository.fromRepositoryAttributes(scope, `${id}Repository`, {
    repositoryName: ecr.repository,
    repositoryArn: `arn:aws:ecr:${ecr.region}:${ecr.account}:repository/${ecr.repository}`,
  });
  return ContainerImage.fromEcrRepository(repository, ecr.tagOrDigest);
}
