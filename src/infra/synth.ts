import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { ReefGuideStack, type ReefGuideStackProps } from './stack.js';

/** Feature flags of CDK. They are set here rather than in cdk.json, so that tests see the same stack. */
const flags = {
  '@aws-cdk/aws-ecs:arnFormatIncludesClusterName': true,
  '@aws-cdk/aws-ecs:disableExplicitDeploymentControllerForCircuitBreaker': true,
  '@aws-cdk/aws-ecs:reduceEc2FargateCloudWatchPermissions': true,
  '@aws-cdk/aws-ecs:removeDefaultDeploymentAlarm': true,
  '@aws-cdk/aws-efs:mountTargetOrderInsensitiveLogicalId': true,
  '@aws-cdk/aws-iam:minimizePolicies': true,
  '@aws-cdk/aws-rds:lowercaseDbIdentifier': true,
  '@aws-cdk/aws-s3:createDefaultLoggingPolicy': true,
  '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy': true,
  '@aws-cdk/core:checkSecretUsage': true,
  '@aws-cdk/core:enablePartitionLiterals': true,
  '@aws-cdk/core:includePrefixInUniqueNameGeneration': true,
  '@aws-cdk/core:stackRelativeExports': true,
  '@aws-cdk/core:target-partitions': ['aws'],
};

/**
 * Writes the template of a deployment into `outdir`; undefined: the directory that the CDK command chose. Throws when
 * cdk-nag has a finding that is not acknowledged.
 */
export function synthesise({ outdir, ...props }: ReefGuideStackProps & { outdir?: string }): void {
  const app = new App({ outdir, postCliContext: flags, analyticsReporting: false });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  new ReefGuideStack(app, props.deployment.stackName, props);
  app.synth();
}
