import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  getContainer,
  getOnlyResource,
  getProgramEnvironments,
  getResources,
  getStatements,
  type Synthesised,
  synthesiseVariants,
  type Template,
  toText,
  type Variant,
  variantNames,
} from '../../support/templates.js';

let all: Record<Variant, Synthesised>;
beforeAll(async () => {
  all = await synthesiseVariants();
}, 120_000);

/** Actions that AWS cannot limit to a resource, and actions on network interfaces, which Lambda needs without a limit. */
const withoutResource = [
  'ecr:GetAuthorizationToken',
  'ecs:DeregisterTaskDefinition',
  'ecs:DescribeTaskDefinition',
  'ecs:ListTaskDefinitions',
  'ecs:ListTasks',
  'ecs:RegisterTaskDefinition',
  'ec2:DescribeSubnets',
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:UnassignPrivateIpAddresses',
];

const tasks = (template: Template, part: string) => getOnlyResource(template, 'AWS::ECS::TaskDefinition', part);
const text = (value: unknown) => JSON.stringify(value);

describe.each(variantNames)('stack %s', (variant) => {
  const template = () => all[variant].template;
  const onLambda = variant.includes('Lambda');
  const withDatabase = variant.includes('with a database');
  const withExecutions = variant !== 'on ECS without a database';

  it('encrypts every bucket, closes it to the public and requires TLS', () => {
    const buckets = getResources(template(), 'AWS::S3::Bucket');
    expect(buckets).toHaveLength(4);
    for (const { id, properties } of buckets) {
      expect(properties.BucketEncryption).toBeDefined();
      expect(properties.PublicAccessBlockConfiguration).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      const policy = getResources(template(), 'AWS::S3::BucketPolicy').find(
        ({ properties: policyProperties }) => toText(policyProperties.Bucket) === `<${id}>`,
      );
      expect(text(policy?.properties)).toContain('"aws:SecureTransport":"false"');
    }
  });

  it('expires results after 30 days and allows downloads from the frontend', () => {
    const { properties } = getOnlyResource(template(), 'AWS::S3::Bucket', 'Results');
    expect(properties.LifecycleConfiguration).toEqual({
      Rules: [
        expect.objectContaining({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
        expect.objectContaining({ ExpirationInDays: 30, Status: 'Enabled' }),
      ],
    });
    expect(properties.CorsConfiguration).toEqual({
      CorsRules: [
        expect.objectContaining({
          AllowedMethods: ['GET'],
          AllowedOrigins: ['https://app.reefguide.example.com'],
        }),
      ],
    });
  });

  it('serves HTTPS at the load balancer and redirects HTTP', () => {
    const listeners = getResources(template(), 'AWS::ElasticLoadBalancingV2::Listener').map(
      ({ properties }) => properties,
    );
    expect(listeners).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          Port: 443,
          SslPolicy: expect.stringContaining('TLS13'),
          Certificates: [{ CertificateArn: expect.stringContaining(':certificate/11111111') }],
        }),
        expect.objectContaining({
          Port: 80,
          DefaultActions: [expect.objectContaining({ Type: 'redirect' })],
        }),
      ]),
    );
    expect(listeners).toHaveLength(2);
  });

  it('opens no port to the public except at the load balancer', () => {
    const groups = getResources(template(), 'AWS::EC2::SecurityGroup');
    const open = groups.filter(({ properties }) => text(properties.SecurityGroupIngress ?? []).includes('0.0.0.0/0'));
    expect(open.map(({ id }) => id)).toEqual([expect.stringContaining('BalancerGroup')]);
    expect(text(getResources(template(), 'AWS::EC2::SecurityGroupIngress'))).not.toContain('0.0.0.0/0');
  });

  it('allows no action by wildcard, and all resources only to actions without a resource', () => {
    for (const { actions, resources, policy } of getStatements(template())) {
      expect(actions.filter((action) => action.includes('*'))).toEqual([]);
      if (!resources.includes('*')) continue;
      expect({ policy, unexpected: actions.filter((action) => !withoutResource.includes(action)) }).toEqual({
        policy,
        unexpected: [],
      });
    }
  });

  it('allows passing named roles to ECS tasks alone', () => {
    const passes = getStatements(template()).filter(({ actions }) => actions.includes('iam:PassRole'));
    expect(passes.length).toBeGreaterThan(0);
    for (const { condition, resources, actions } of passes) {
      expect(actions).toEqual(['iam:PassRole']);
      expect(condition).toEqual({ StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } });
      expect(resources.every((resource) => /^<\w+\.Arn>$/.test(resource))).toBe(true);
    }
  });

  it('allows the capacity manager to start workers of this stack in its cluster, and to stop none', () => {
    const statements = getStatements(template(), 'CapacityManagerTaskTaskRole');
    const inCluster = { ArnEquals: { 'ecs:cluster': expect.anything() } };
    expect(statements).toEqual([
      expect.objectContaining({
        actions: ['ecs:RunTask'],
        resources: ['suitability', 'test'].map(
          (name) => `arn:aws:ecs:ap-southeast-2:123456789012:task-definition/ReefGuide-Sample-worker-${name}:*`,
        ),
        condition: inCluster,
      }),
      expect.objectContaining({ actions: ['ecs:ListTasks'], condition: inCluster }),
      expect.objectContaining({ actions: ['ec2:DescribeSubnets'] }),
      expect.objectContaining({
        actions: ['ecs:DescribeTasks'],
        resources: [expect.stringMatching(/:task\/<NetworkingCluster\w+>\/\*$/)],
        condition: inCluster,
      }),
      expect.objectContaining({
        actions: ['iam:PassRole'],
        resources: Array(4).fill(expect.stringContaining('JobSystem')),
      }),
    ]);
  });

  it('refers to secrets and contains no secret value', () => {
    for (const { properties } of getResources(template(), 'AWS::SecretsManager::Secret')) {
      expect(properties.SecretString).toBeUndefined();
      expect(properties.GenerateSecretString).toBeDefined();
    }
    const environments = [
      ...getResources(template(), 'AWS::ECS::TaskDefinition').flatMap((task) =>
        Object.keys(getContainer(task).environment),
      ),
      ...getResources(template(), 'AWS::Lambda::Function').flatMap(({ properties }) =>
        Object.keys(Object(Reflect.get(Object(properties.Environment), 'Variables'))),
      ),
    ];
    expect(environments.filter((name) => /PASSWORD|PRIVATE|TOKEN|DATABASE_URL/.test(name))).toEqual([]);
    expect(text(template())).not.toContain('{{resolve:secretsmanager:arn');
  });

  it('passes the API and the event processor the ARNs of exactly the secrets that their roles may read', () => {
    const names = ['API_SECRETS_ARN', 'ADMIN_SECRET_ARN', 'MANAGER_SECRET_ARN', 'WORKER_SECRET_ARN'];
    if (withDatabase) names.push('DATABASE_SECRET_ARN');
    for (const [part, environment] of getProgramEnvironments(template())) {
      const arns = Object.entries(environment).filter(([name]) => /(SECRET|SECRETS)_ARN$/.test(name));
      expect(arns.map(([name]) => name).sort()).toEqual([...names].sort());
      const readable = getStatements(template(), part).find(({ actions }) =>
        actions.includes('secretsmanager:GetSecretValue'),
      );
      expect(readable?.resources.toSorted()).toEqual(arns.map(([, value]) => toText(value)).sort());
    }
  });

  it('sets the other variables of the API and the event processor', () => {
    for (const [, environment] of getProgramEnvironments(template())) {
      expect(environment).toEqual(
        expect.objectContaining({
          NODE_ENV: 'production',
          PUBLIC_API_URL: 'https://web-api.reefguide.example.com',
          ALLOWED_ORIGINS: 'https://app.reefguide.example.com',
          TRUST_PROXY: '1',
          S3_BUCKET_NAME: { Ref: expect.stringContaining('ResultsBucket') },
          ECS_CLUSTER_NAME: expect.anything(),
          ECS_SERVICE_NAME: { 'Fn::GetAtt': [expect.stringContaining('ReefGuideApiService'), 'Name'] },
          NODE_EXTRA_CA_CERTS: expect.stringMatching(/^\//),
        }),
      );
    }
  });

  it('allows the API to describe and update the ReefGuideAPI service alone', () => {
    const statement = getStatements(template(), 'WebApi').find(({ actions }) => actions.includes('ecs:UpdateService'));
    expect(statement?.actions).toEqual(['ecs:DescribeServices', 'ecs:UpdateService']);
    expect(statement?.resources).toEqual([expect.stringMatching(/^<ReefGuideApiService\w+>$/)]);
  });

  it('checks the health of the capacity manager', () => {
    const { HealthCheck, StopTimeout, Command } = getContainer(tasks(template(), 'CapacityManager'));
    expect(Command).toEqual(['capacity', 'run']);
    expect(HealthCheck?.Command.join(' ')).toContain('http://127.0.0.1:3000/health');
    expect(StopTimeout).toBeGreaterThan(5);
  });

  it('configures workers with a stop timeout, an account as secrets, and read-only data over TLS', () => {
    const suitability = tasks(template(), 'JobSystemsuitability');
    const container = getContainer(suitability);
    expect(container.StopTimeout).toBe(120);
    expect(container.environment).toMatchObject({
      API_ENDPOINT: 'https://web-api.reefguide.example.com',
      AWS_REGION: 'ap-southeast-2',
      JOB_TYPES: 'SUITABILITY_ASSESSMENT,REGIONAL_ASSESSMENT',
      DATA_PATH: '/data/reefguide',
    });
    expect(Object.keys(container.secrets).sort()).toEqual(['API_PASSWORD', 'API_USERNAME']);
    expect(container.MountPoints).toEqual([{ ContainerPath: '/data', ReadOnly: true, SourceVolume: 'data' }]);
    expect(suitability.properties.Volumes).toEqual([
      {
        Name: 'data',
        EFSVolumeConfiguration: expect.objectContaining({
          TransitEncryption: 'ENABLED',
          AuthorizationConfig: { AccessPointId: expect.anything(), IAM: 'ENABLED' },
        }),
      },
    ]);
    const mount = getStatements(template(), 'JobSystemsuitabilityTaskRole').filter(({ actions }) =>
      actions.some((action) => action.startsWith('elasticfilesystem:')),
    );
    expect(mount.map(({ actions }) => actions)).toEqual([['elasticfilesystem:ClientMount']]);
  });

  it('encrypts the file system and retains data when the stack is deleted', () => {
    const fileSystem = getOnlyResource(template(), 'AWS::EFS::FileSystem');
    expect(fileSystem.properties.Encrypted).toBe(true);
    expect(fileSystem.deletionPolicy).toMatch(/^Retain/);
    for (const secret of getResources(template(), 'AWS::SecretsManager::Secret', 'Accounts')) {
      expect(secret.deletionPolicy).toMatch(/^Retain/);
    }
  });

  it('opens the service instance to Session Manager alone', () => {
    const { properties } = getOnlyResource(template(), 'AWS::EC2::Instance');
    expect(properties.KeyName).toBeUndefined();
    expect(text(properties.UserData)).toContain('/home/ubuntu/mountefs.sh');
    expect(text(properties.UserData)).toContain('/efs/data');
    expect(text(properties.BlockDeviceMappings)).toContain('"Encrypted":true');
    expect(properties.MetadataOptions).toMatchObject({ HttpTokens: 'required' });
    const group = getOnlyResource(template(), 'AWS::EC2::SecurityGroup', 'FilesInstanceGroup');
    expect(group.properties.SecurityGroupIngress).toBeUndefined();
  });

  it('sends task state changes of this cluster and an hourly event to the processor', () => {
    const rules = getResources(template(), 'AWS::Events::Rule').map(({ properties }) => properties);
    expect(rules).toEqual([
      expect.objectContaining({
        EventPattern: {
          source: ['aws.ecs'],
          'detail-type': ['ECS Task State Change'],
          detail: { clusterArn: [{ 'Fn::GetAtt': [expect.stringContaining('Cluster'), 'Arn'] }] },
        },
      }),
      expect.objectContaining({ ScheduleExpression: 'rate(1 hour)' }),
    ]);
    const queue = getOnlyResource(template(), 'AWS::SQS::Queue');
    expect(queue.properties.SqsManagedSseEnabled).toBe(true);
    expect(text(getResources(template(), 'AWS::CloudWatch::Alarm'))).toContain('ApproximateNumberOfMessagesVisible');
  });

  it(`has ${withDatabase ? 'a' : 'no'} database`, () => {
    const instances = getResources(template(), 'AWS::RDS::DBInstance');
    if (!withDatabase) {
      expect(instances).toEqual([]);
      expect(getResources(template(), 'AWS::EC2::Subnet')).toHaveLength(2);
      const functions = getResources(template(), 'AWS::Lambda::Function');
      expect(functions.filter(({ properties }) => properties.VpcConfig)).toEqual([]);
      return;
    }
    const [database] = instances;
    expect(database?.properties).toMatchObject({
      Engine: 'postgres',
      StorageEncrypted: true,
      DeletionProtection: true,
      PubliclyAccessible: false,
      BackupRetentionPeriod: 14,
      AllocatedStorage: '50',
      DBInstanceClass: 'db.t4g.small',
    });
    expect(Number(database?.properties.EngineVersion)).toBeGreaterThanOrEqual(16);
    expect(database?.deletionPolicy).toBe('Retain');
    expect(getOnlyResource(template(), 'AWS::RDS::DBParameterGroup').properties.Parameters).toEqual({
      'rds.force_ssl': '1',
    });
    const endpoints = getResources(template(), 'AWS::EC2::VPCEndpoint').map(({ properties }) =>
      toText(properties.ServiceName),
    );
    // A NAT, which WebSockets need, makes the interface endpoints unnecessary.
    const interfaces = onLambda || !withExecutions ? [] : ['ecs', 'logs', 'secretsmanager'];
    expect(endpoints.map((name) => name.replace(/^.*\./, '')).sort()).toEqual([...interfaces, 's3'].sort());
    expect(getResources(template(), 'AWS::EC2::NatGateway')).toHaveLength(onLambda ? 1 : 0);
    for (const { properties } of getResources(template(), 'AWS::Lambda::Function', 'Program')) {
      const subnets = text(Reflect.get(Object(properties.VpcConfig), 'SubnetIds'));
      expect(subnets).toContain(onLambda ? 'VpcFunctionsSubnet' : 'VpcIsolatedSubnet');
    }
  });

  it('names outputs after the slug of the stack', () => {
    const outputs = Object.entries(template().Outputs).map(([name, { Value }]) => [name, toText(Value)]);
    expect(Object.fromEntries(outputs)).toMatchObject({
      reefguidesamplecapacityManagerTaskDfn: `<${tasks(template(), 'CapacityManager').id}>`,
      reefguidesampleapiUrl: 'https://web-api.reefguide.example.com',
    });
    expect(outputs.map(([name]) => name)).toEqual(
      expect.arrayContaining(
        ['resultsBucket', 'dataBucket', 'cluster', 'frontendBucket', 'frontendDistribution', 'efsInstance'].map(
          (name) => `reefguidesample${name}`,
        ),
      ),
    );
  });

  it(`serves the API ${onLambda ? 'through API Gateway' : 'behind the load balancer'}`, () => {
    if (onLambda) {
      const { properties } = getOnlyResource(template(), 'AWS::Lambda::Function', 'WebApi');
      expect(properties).toMatchObject({
        Handler: 'dist/server/lambda.handler',
        Runtime: 'nodejs22.x',
        Architectures: ['x86_64'],
      });
      expect(getOnlyResource(template(), 'AWS::ApiGatewayV2::Route', 'WebApi').properties.RouteKey).toBe('$default');
      const { properties: api } = getOnlyResource(template(), 'AWS::ApiGatewayV2::Api', 'WebApi');
      expect(api.DisableExecuteApiEndpoint).toBe(true);
      return;
    }
    const container = getContainer(tasks(template(), 'WebApi'));
    expect(container.Command).toEqual(['serve', '--port', '5000']);
    expect(container.HealthCheck?.Command.join(' ')).toContain('http://127.0.0.1:5000/api/ready');
    expect(container.environment).toMatchObject({ PORT: '5000', HOST: '0.0.0.0', AWS_REGION: 'ap-southeast-2' });
    const targets = getOnlyResource(template(), 'AWS::ElasticLoadBalancingV2::TargetGroup', 'WebApi');
    expect(targets.properties).toMatchObject({ HealthCheckPath: '/api/ready', Port: 5000 });
  });
});

describe('stack with an alert address', () => {
  it('sends all alarms and memory alarms by e-mail', () => {
    const { template } = all['on ECS with a database'];
    expect(getResources(template, 'AWS::SNS::Subscription').map(({ properties }) => properties.Endpoint)).toEqual([
      'operators@example.com',
      'operators@example.com',
    ]);
    const withoutAddress = all['on ECS without a database'].template;
    expect(getResources(withoutAddress, 'AWS::SNS::Topic', 'Alerts')).toEqual([]);
  });
});
