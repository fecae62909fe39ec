import { CfnOutput, Fn, Stack } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as assets from 'aws-cdk-lib/aws-ecr-assets';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as targets from 'aws-cdk-lib/aws-route53-targets';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { capacityManagerOutput, stackSlug } from '../deployment/load.js';
import type { Deployment } from '../deployment/schema.js';
import { createLogsBucket, createResultsBucket } from './components/buckets.js';
import { CapacityManager } from './components/capacity-manager.js';
import { DataFiles } from './components/data-files.js';
import { Database } from './components/database.js';
import { Domains } from './components/domains.js';
import { EventProcessor } from './components/event-processor.js';
import { Executions } from './components/executions.js';
import { Frontend } from './components/frontend.js';
import { allowJobFiles, JobSystem } from './components/job-system.js';
import { LogSocket } from './components/log-socket.js';
import { Monitoring } from './components/monitoring.js';
import { Networking } from './components/networking.js';
import { ReefGuideApi } from './components/reefguide-api.js';
import { ServiceAccounts } from './components/secrets.js';
import { WebApi } from './components/web-api.js';
import { WebApiLambda } from './components/web-api-lambda.js';
import { allow } from './nag.js';
import { type ProgramHost, toProgramEnvironment } from './program-environment.js';

export interface ReefGuideStackProps {
  deployment: Deployment;
  /** Directory with the bundle of the Lambda functions. */
  bundle: string;
  /** Directory with the Dockerfile. */
  repository: string;
}

/** One deployment of ReefGuide. The order of the `add` calls is the order of the resources in the template. */
export class ReefGuideStack extends Stack {
  private readonly deployment: Deployment;
  private readonly bundle: string;
  private readonly program: ecs.ContainerImage;
  private readonly logs: s3.Bucket;
  private readonly results: s3.Bucket;
  private readonly accounts: ServiceAccounts;
  private readonly domains: Domains;
  private readonly networking: Networking;
  private readonly database: Database | undefined;
  private readonly files: DataFiles;
  private readonly reefGuideApi: ReefGuideApi;
  private readonly executions: Executions | undefined;
  private readonly socket: LogSocket | undefined;

  constructor(scope: Construct, id: string, { deployment, bundle, repository }: ReefGuideStackProps) {
    const { stackName, aws, domains } = deployment;
    super(scope, id, { stackName, env: { account: aws.account, region: aws.region } });
    this.deployment = deployment;
    this.bundle = bundle;
    const platform = assets.Platform.LINUX_AMD64;
    const asset = new assets.DockerImageAsset(this, 'Image', { directory: repository, platform });
    this.program = ecs.ContainerImage.fromDockerImageAsset(asset);
    this.logs = createLogsBucket(this);
    this.results = createResultsBucket(this, this.logs, domains.frontend);
    this.accounts = new ServiceAccounts(this, 'Accounts', { baseDomain: domains.baseDomain });
    this.domains = new Domains(this, 'Domains', { hostedZone: deployment.hostedZone });
    const withSockets = deployment.executions !== undefined && deployment.webAPI.mode.lambda !== undefined;
    this.networking = new Networking(this, 'Networking', {
      certificateArn: deployment.certificates.primary,
      logsBucket: this.logs,
      withDatabase: deployment.db !== undefined,
      withExecutions: deployment.executions !== undefined,
      withSockets,
    });
    const { vpc } = this.networking;
    this.database = deployment.db && new Database(this, 'Database', { vpc, config: deployment.db });
    this.files = new DataFiles(this, 'Files', { vpc, logsBucket: this.logs });
    this.reefGuideApi = this.addReefGuideApi();
    const { executions: config } = deployment;
    const { networking } = this;
    this.executions =
      config && new Executions(this, 'Executions', { stackName, config, networking, programUri: asset.imageUri });
    this.socket = withSockets ? new LogSocket(this, 'LogSocket') : undefined;
    const { api, apiRecord } = this.addWebApi();
    const processor = this.addEventProcessor(api);
    const manager = this.addJobSystem();
    // The manager becomes healthy when the API answers under its domain name.
    manager.service.node.addDependency(api, apiRecord);
    const frontend = this.addFrontend();
    this.addMonitoring({ api, processor, manager });
    this.addOutputs({ manager, frontend });
  }

  /** Names two zones by functions of CloudFormation, because a name would need a lookup in the account. */
  override get availabilityZones(): string[] {
    const zones = Fn.getAzs();
    return [Fn.select(0, zones), Fn.select(1, zones)];
  }

  private get apiEndpoint(): string {
    return `https://${this.deployment.domains.webAPI}`;
  }

  /** Returns the network of Lambda functions, which need the VPC only to reach a database. */
  private get functionNetworking(): Networking | undefined {
    return this.database ? this.networking : undefined;
  }

  private addReefGuideApi(): ReefGuideApi {
    const { stackName, reefGuideAPI, domains } = this.deployment;
    const api = new ReefGuideApi(this, 'ReefGuideApi', {
      stackName,
      config: reefGuideAPI,
      domainName: domains.reefGuideAPI,
      networking: this.networking,
      files: this.files,
      program: this.program,
    });
    const target = new targets.LoadBalancerTarget(this.networking.balancer);
    this.domains.point('ReefGuideApi', domains.reefGuideAPI, target);
    return api;
  }

  private addWebApi() {
    const { stackName, webAPI, domains, certificates } = this.deployment;
    const { networking, program, bundle } = this;
    const domainName = domains.webAPI;
    const api = webAPI.mode.ecs
      ? new WebApi(this, 'WebApi', {
          stackName,
          config: webAPI,
          size: webAPI.mode.ecs,
          domainName,
          environment: this.programEnvironment('container'),
          networking,
          program,
        })
      : new WebApiLambda(this, 'WebApi', {
          domainName,
          certificateArn: certificates.primary,
          environment: this.programEnvironment('lambda'),
          bundle,
          networking: this.functionNetworking,
        });
    this.allowProgram(api.role, api.group, 'the web API');
    allowJobFiles(api.role, this.results, ['s3:GetObject']);
    this.executions?.allowStarting(api.role);
    allow(api.role, {
      actions: ['ecs:DescribeServices', 'ecs:UpdateService'],
      resources: [this.reefGuideApi.service.serviceArn],
    });
    return { api, apiRecord: this.domains.point('WebApi', domainName, api.recordTarget) };
  }

  private addEventProcessor(api: WebApi | WebApiLambda): EventProcessor {
    const processor = new EventProcessor(this, 'EventProcessor', {
      clusterArn: this.networking.cluster.clusterArn,
      executionLogs: this.executions?.logGroup,
      environment: this.programEnvironment('lambda'),
      bundle: this.bundle,
      networking: this.functionNetworking,
    });
    this.allowProgram(processor.program.role, processor.program.group, 'the event processor');
    this.socket?.connectTo(processor.program.fn);
    if (api instanceof WebApiLambda) api.program.allowTracing(api.program, processor.program);
    return processor;
  }

  private addJobSystem(): CapacityManager {
    const { stackName, aws, jobSystem, monitoring } = this.deployment;
    const { networking, program, apiEndpoint } = this;
    const shared = { stackName, region: aws.region, apiEndpoint, networking, program };
    const workers = new JobSystem(this, 'JobSystem', {
      ...shared,
      workers: jobSystem.workers,
      files: this.files,
      resultsBucket: this.results,
      workerSecret: this.accounts.worker,
    });
    return new CapacityManager(this, 'CapacityManager', {
      ...shared,
      config: jobSystem.capacityManager,
      sentryDsn: monitoring?.sentryDsn,
      groups: workers.groups,
      managerSecret: this.accounts.manager,
    });
  }

  private addFrontend(): Frontend {
    const { domains, certificates, frontend: config } = this.deployment;
    const frontend = new Frontend(this, 'Frontend', {
      config,
      domainName: domains.frontend,
      certificateArn: certificates.cloudfront,
      logsBucket: this.logs,
    });
    const target = new targets.CloudFrontTarget(frontend.distribution);
    this.domains.point('Frontend', domains.frontend, target, { ipv6: true });
    return frontend;
  }

  private addMonitoring(parts: { api: WebApi | WebApiLambda; processor: EventProcessor; manager: CapacityManager }) {
    const { monitoring, reefGuideAPI, db } = this.deployment;
    new Monitoring(this, 'Monitoring', {
      alertEmail: monitoring?.alertEmail,
      memoryAlerting: reefGuideAPI.memoryAlerting,
      clusterName: this.networking.cluster.clusterName,
      reefGuideApi: this.reefGuideApi.service,
      capacityManager: parts.manager.service,
      webApi: parts.api,
      processor: parts.processor.program.fn,
      deadLetters: parts.processor.deadLetters,
      database: this.database?.instance,
      storageGb: db?.storageGb,
    });
  }

  private addOutputs({ manager, frontend }: { manager: CapacityManager; frontend: Frontend }): void {
    const { stackName, domains } = this.deployment;
    const slug = stackSlug(stackName);
    const outputs = {
      [capacityManagerOutput(stackName)]: manager.definition.taskDefinitionArn,
      [`${slug}apiUrl`]: this.apiEndpoint,
      [`${slug}reefGuideApiUrl`]: `https://${domains.reefGuideAPI}`,
      [`${slug}frontendUrl`]: `https://${domains.frontend}`,
      [`${slug}resultsBucket`]: this.results.bucketName,
      [`${slug}dataBucket`]: this.files.bucket.bucketName,
      [`${slug}cluster`]: this.networking.cluster.clusterName,
      [`${slug}frontendBucket`]: frontend.bucket.bucketName,
      [`${slug}frontendDistribution`]: frontend.distribution.distributionId,
      [`${slug}efsInstance`]: this.files.instance.instanceId,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }

  private programEnvironment(host: ProgramHost): Record<string, string> {
    const { accounts, database, executions, socket } = this;
    const resources = {
      S3_BUCKET_NAME: this.results.bucketName,
      API_SECRETS_ARN: this.deployment.webAPI.apiSecretsArn,
      ADMIN_SECRET_ARN: accounts.admin.secretArn,
      MANAGER_SECRET_ARN: accounts.manager.secretArn,
      WORKER_SECRET_ARN: accounts.worker.secretArn,
      ...(database ? { DATABASE_SECRET_ARN: database.secret.secretArn } : {}),
      ECS_CLUSTER_NAME: this.networking.cluster.clusterName,
      ECS_SERVICE_NAME: this.reefGuideApi.service.serviceName,
    };
    const forExecutions = { ...executions?.environment, ...socket?.environment };
    return toProgramEnvironment(this.deployment, resources, forExecutions, host);
  }

  /** Grants what the API and the event processor have in common. */
  private allowProgram(role: iam.IRole, group: ec2.SecurityGroup | undefined, name: string): void {
    const { accounts, database } = this;
    const secrets = [accounts.admin, accounts.manager, accounts.worker, ...(database ? [database.secret] : [])];
    allow(role, {
      actions: ['secretsmanager:GetSecretValue'],
      resources: [this.deployment.webAPI.apiSecretsArn, ...secrets.map(({ secretArn }) => secretArn)],
    });
    this.executions?.allowDefining(role);
    this.executions?.allowEnding(role);
    this.socket?.allowSending(role);
    if (database && group) database.openTo(group, name);
  }
}
