import { CfnOutput, Fn, Stack, type StackProps } from 'aws-cdk-lib';
import type { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { ApiGatewayv2DomainProperties, CloudFrontTarget, LoadBalancerTarget } from 'aws-cdk-lib/aws-route53-targets';
import type { Construct } from 'constructs';
import { capacityManagerOutput, type Deployment, stackSlug } from '../deployment/load.js';
import { logsBucket, resultsBucket } from './components/buckets.js';
import { CapacityManager } from './components/capacity-manager.js';
import { DataFiles } from './components/data-files.js';
import { Database } from './components/database.js';
import { Domains } from './components/domains.js';
import { EventProcessor } from './components/event-processor.js';
import { Executions } from './components/executions.js';
import { Frontend } from './components/frontend.js';
import { allowDownloads, JobSystem } from './components/job-system.js';
import { LogSocket } from './components/log-socket.js';
import { Monitoring } from './components/monitoring.js';
import { Networking } from './components/networking.js';
import { ReefGuideApi } from './components/reefguide-api.js';
import { allowSecrets, ServiceAccounts } from './components/secrets.js';
import { WebApi } from './components/web-api.js';
import { WebApiLambda } from './components/web-api-lambda.js';
import { allow } from './nag.js';
import { programEnvironment } from './program-environment.js';

export interface ReefGuideStackProps extends StackProps {
  deployment: Deployment;
  /** Folder with the bundle of the Lambda functions. */
  bundle: string;
  /** Folder with the Dockerfile. */
  repository: string;
}

/** One deployment of ReefGuide. Builds the components and hands to each what it needs of the others. */
export class ReefGuideStack extends Stack {
  constructor(scope: Construct, id: string, { deployment, bundle, repository, ...props }: ReefGuideStackProps) {
    const { stackName, aws, domains, certificates, webAPI, jobSystem, monitoring } = deployment;
    super(scope, id, { stackName, env: { account: aws.account, region: aws.region }, ...props });
    const sentryDsn = monitoring?.sentryDsn;
    const apiEndpoint = `https://${domains.webAPI}`;
    const asset = new DockerImageAsset(this, 'Image', { directory: repository, platform: Platform.LINUX_AMD64 });
    const program = ContainerImage.fromDockerImageAsset(asset);
    const withSockets = deployment.executions !== undefined && webAPI.mode.lambda !== undefined;

    const logs = logsBucket(this);
    const results = resultsBucket(this, logs, domains.frontend);
    const accounts = new ServiceAccounts(this, 'Accounts', { baseDomain: domains.baseDomain });
    const names = new Domains(this, 'Domains', { hostedZone: deployment.hostedZone });
    const networking = new Networking(this, 'Networking', {
      certificateArn: certificates.primary,
      logsBucket: logs,
      withDatabase: deployment.db !== undefined,
      withExecutions: deployment.executions !== undefined,
      withSockets,
    });
    const { vpc, cluster, balancer } = networking;
    const database = deployment.db && new Database(this, 'Database', { vpc, config: deployment.db });
    const files = new DataFiles(this, 'Files', { vpc, logsBucket: logs });
    const reefGuideApi = new ReefGuideApi(this, 'ReefGuideApi', {
      stackName,
      config: deployment.reefGuideAPI,
      domainName: domains.reefGuideAPI,
      networking,
      files,
      program,
    });
    names.point('ReefGuideApi', domains.reefGuideAPI, new LoadBalancerTarget(balancer));
    const executions =
      deployment.executions &&
      new Executions(this, 'Executions', {
        stackName,
        config: deployment.executions,
        networking,
        programUri: asset.imageUri,
      });
    const socket = withSockets ? new LogSocket(this, 'LogSocket') : undefined;

    const resources = {
      resultsBucketName: results.bucketName,
      clusterName: cluster.clusterName,
      serviceName: reefGuideApi.service.serviceName,
      adminSecretArn: accounts.admin.secretArn,
      managerSecretArn: accounts.manager.secretArn,
      workerSecretArn: accounts.worker.secretArn,
      databaseSecretArn: database?.secret.secretArn,
      executions: { ...executions?.environment, ...socket?.environment },
    };
    const secretArns = [
      webAPI.apiSecretsArn,
      ...[accounts.admin, accounts.manager, accounts.worker].map(({ secretArn }) => secretArn),
      ...(database ? [database.secret.secretArn] : []),
    ];
    /** What the API and the event processor share. */
    const allowProgram = (role: IRole, group: SecurityGroup | undefined, who: string) => {
      allowSecrets(role, secretArns);
      executions?.allowDefining(role);
      executions?.allowEnding(role);
      socket?.allowSending(role);
      if (database && group) database.openTo(group, who);
    };
    /** A function needs the VPC for the database alone. */
    const functionNetworking = database ? networking : undefined;
    const lambdaEnvironment = programEnvironment(deployment, resources, 'lambda');

    const api = webAPI.mode.ecs
      ? new WebApi(this, 'WebApi', {
          stackName,
          config: webAPI,
          size: webAPI.mode.ecs,
          domainName: domains.webAPI,
          environment: programEnvironment(deployment, resources, 'container'),
          networking,
          program,
        })
      : new WebApiLambda(this, 'WebApi', {
          domainName: domains.webAPI,
          certificateArn: certificates.primary,
          environment: lambdaEnvironment,
          bundle,
          networking: functionNetworking,
        });
    const { role, group } = api instanceof WebApi ? api : api.program;
    allowProgram(role, group, 'the web API');
    allowDownloads(role, results);
    executions?.allowStarting(role);
    allow(role, {
      actions: ['ecs:DescribeServices', 'ecs:UpdateService'],
      resources: [reefGuideApi.service.serviceArn],
    });
    const apiRecord = names.point(
      'WebApi',
      domains.webAPI,
      api instanceof WebApi
        ? new LoadBalancerTarget(balancer)
        : new ApiGatewayv2DomainProperties(api.domain.regionalDomainName, api.domain.regionalHostedZoneId),
    );

    const processor = new EventProcessor(this, 'EventProcessor', {
      clusterArn: cluster.clusterArn,
      executionLogs: executions?.logGroup,
      environment: lambdaEnvironment,
      bundle,
      networking: functionNetworking,
    });
    allowProgram(processor.program.role, processor.program.group, 'the event processor');
    socket?.connectTo(processor.fn);
    if (!(api instanceof WebApi)) api.program.traceIn(api.program, processor.program);

    const workers = new JobSystem(this, 'JobSystem', {
      stackName,
      region: aws.region,
      workers: jobSystem.workers,
      apiEndpoint,
      networking,
      files,
      resultsBucket: results,
      workerSecret: accounts.worker,
      program,
    });
    const manager = new CapacityManager(this, 'CapacityManager', {
      stackName,
      region: aws.region,
      config: jobSystem.capacityManager,
      sentryDsn,
      apiEndpoint,
      networking,
      groups: workers.groups,
      managerSecret: accounts.manager,
      program,
    });
    // It is healthy when it reaches the API, by its name.
    manager.service.node.addDependency(api, apiRecord);

    const frontend = new Frontend(this, 'Frontend', {
      config: deployment.frontend,
      domainName: domains.frontend,
      certificateArn: certificates.cloudfront,
      logsBucket: logs,
    });
    names.point('Frontend', domains.frontend, new CloudFrontTarget(frontend.distribution), { ipv6: true });
    new Monitoring(this, 'Monitoring', {
      alertEmail: monitoring?.alertEmail,
      memoryAlerting: deployment.reefGuideAPI.memoryAlerting,
      clusterName: cluster.clusterName,
      reefGuideApi: reefGuideApi.service,
      capacityManager: manager.service,
      webApi: api instanceof WebApi ? { targets: api.targets } : { fn: api.fn },
      processor: processor.fn,
      deadLetters: processor.deadLetters,
      database: database?.instance,
      storageGb: deployment.db?.storageGb,
    });

    const slug = stackSlug(stackName);
    for (const [name, value] of Object.entries({
      [capacityManagerOutput(stackName)]: manager.definition.taskDefinitionArn,
      [`${slug}apiUrl`]: apiEndpoint,
      [`${slug}reefGuideApiUrl`]: `https://${domains.reefGuideAPI}`,
      [`${slug}frontendUrl`]: `https://${domains.frontend}`,
      [`${slug}resultsBucket`]: results.bucketName,
      [`${slug}dataBucket`]: files.bucket.bucketName,
      [`${slug}cluster`]: cluster.clusterName,
      [`${slug}frontendBucket`]: frontend.bucket.bucketName,
      [`${slug}frontendDistribution`]: frontend.distribution.distributionId,
      [`${slug}efsInstance`]: files.instance.instanceId,
    })) {
      new CfnOutput(this, name, { value });
    }
  }

  /** Two zones of the region, whichever they are: CloudFormation knows them, so nothing is looked up. */
  override get availabilityZones(): string[] {
    const zones = Fn.getAzs();
    return [Fn.select(0, zones), Fn.select(1, zones)];
  }
}
