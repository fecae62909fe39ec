import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  getOnlyResource,
  getProgramEnvironments,
  getResources,
  getStatements,
  type Synthesised,
  synthesiseVariants,
  toText,
  type Variant,
  variantNames,
} from '../../support/templates.js';

let all: Record<Variant, Synthesised>;
beforeAll(async () => {
  all = await synthesiseVariants();
}, 120_000);

describe.each(variantNames)('executions in the stack %s', (variant) => {
  const template = () => all[variant].template;
  const onLambda = variant.includes('Lambda');
  const withDatabase = variant.includes('with a database');
  const withExecutions = variant !== 'on ECS without a database';

  it(withExecutions ? 'configures programs to run executions' : 'configures no executions', () => {
    for (const [, environment] of getProgramEnvironments(template())) {
      const variables = Object.entries(environment).filter(([name]) => name.startsWith('EXECUTION_'));
      const values = Object.fromEntries(variables.map(([name, value]) => [name, toText(value)]));
      if (!withExecutions) {
        expect(values).toEqual({});
        continue;
      }
      expect(values).toEqual({
        EXECUTION_CLUSTER: expect.stringMatching(/^<NetworkingCluster\w+\.Arn>$/),
        EXECUTION_SECURITY_GROUP: expect.stringMatching(/^<ExecutionsGroup\w+\.GroupId>$/),
        EXECUTION_SUBNETS: expect.stringMatching(/^<\w+PublicSubnet1\w+>,<\w+PublicSubnet2\w+>$/),
        EXECUTION_LOG_GROUP: expect.stringMatching(/^<ExecutionsLogs\w+>$/),
        EXECUTION_FAMILY_PREFIX: 'ReefGuide-Sample-execution',
        EXECUTION_ROLE_ARN: expect.stringMatching(/^<ExecutionsExecutionRole\w+\.Arn>$/),
        EXECUTION_TASK_ROLE_ARN: expect.stringMatching(/^<ExecutionsTaskRole\w+\.Arn>$/),
        // Resolves the configured name `reefguide` to an address to pull.
        EXECUTION_IMAGE: withDatabase
          ? 'alpine:3.22'
          : expect.stringMatching(
              /123456789012\.dkr\.ecr\.ap-southeast-2\.[\s\S]*container-assets[\s\S]*:[0-9a-f]{64}/,
            ),
        EXECUTION_CPU: '256',
        EXECUTION_MEMORY: '512',
        EXECUTION_GIT_IMAGE: 'alpine/git:2.45.2',
      });
    }
    const ours = getResources(template(), 'AWS::ECS::TaskDefinition').filter(({ id }) => id.includes('Execution'));
    expect(ours).toEqual([]);
  });

  it('allows the API to start executions and the event processor to stop them, in this cluster', () => {
    const [[api = ''] = [], [processor = ''] = []] = getProgramEnvironments(template());
    const inCluster = { ArnEquals: { 'ecs:cluster': expect.anything() } };
    const logs = getResources(template(), 'AWS::Logs::LogGroup', 'ExecutionsLogs').map(({ id }) => `<${id}.Arn>`);
    for (const part of [api, processor]) {
      const statements = getStatements(template(), part);
      const of = (action: string) => statements.filter(({ actions }) => actions.includes(action));
      const some = (one: object) => (withExecutions ? [expect.objectContaining(one)] : []);
      expect(of('ecs:StopTask')).toEqual(
        some({
          actions: ['ecs:DescribeTasks', 'ecs:StopTask'],
          resources: [expect.stringMatching(/:task\/<NetworkingCluster\w+>\/\*$/)],
          condition: inCluster,
        }),
      );
      expect(of('ecs:DescribeTaskDefinition')).toEqual(some({ resources: ['*'] }));
      const readable = of('logs:FilterLogEvents').flatMap(({ resources }) => resources);
      expect(readable.filter((one) => String(one).includes('Executions'))).toEqual(withExecutions ? logs : []);
    }
    const mayStart = (part: string) =>
      getStatements(template(), part).filter(({ actions }) => actions.includes('ecs:RunTask'));
    expect(mayStart(processor)).toEqual([]);
    expect(mayStart(api)).toEqual(
      withExecutions
        ? [
            expect.objectContaining({
              actions: ['ecs:RunTask'],
              resources: ['arn:aws:ecs:ap-southeast-2:123456789012:task-definition/ReefGuide-Sample-execution-*'],
              condition: inCluster,
            }),
          ]
        : [],
    );
  });

  it('allows both to define tasks, with the roles of executions alone', () => {
    for (const [part] of getProgramEnvironments(template())) {
      const statements = getStatements(template(), part);
      const of = (action: string) => statements.filter(({ actions }) => actions.includes(action));
      expect(of('ecs:RegisterTaskDefinition')).toHaveLength(withExecutions ? 1 : 0);
      expect(of('iam:PassRole')).toEqual(
        withExecutions
          ? [
              expect.objectContaining({
                actions: ['iam:PassRole'],
                resources: [
                  expect.stringMatching(/^<ExecutionsExecutionRole\w+\.Arn>$/),
                  expect.stringMatching(/^<ExecutionsTaskRole\w+\.Arn>$/),
                ],
              }),
            ]
          : [],
      );
    }
  });

  it('runs tasks with an empty role, and another role to pull images and write logs', () => {
    if (!withExecutions) return;
    expect(getStatements(template(), 'ExecutionsTaskRole')).toEqual([]);
    const { properties } = getOnlyResource(template(), 'AWS::IAM::Role', 'ExecutionsTaskRole');
    expect([properties.ManagedPolicyArns, properties.Policies]).toEqual([undefined, undefined]);
    const actions = getStatements(template(), 'ExecutionsExecutionRole').flatMap((one) => one.actions);
    expect(actions.sort()).toEqual([
      'ecr:BatchCheckLayerAvailability',
      'ecr:BatchGetImage',
      'ecr:GetAuthorizationToken',
      'ecr:GetDownloadUrlForLayer',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
  });

  it(onLambda ? 'adds a WebSocket API with events for the processor' : 'adds no WebSocket API', () => {
    const apis = getResources(template(), 'AWS::ApiGatewayV2::Api', 'LogSocket');
    if (!onLambda) {
      expect(apis).toEqual([]);
      for (const [, environment] of getProgramEnvironments(template()))
        expect(environment).not.toHaveProperty('WEBSOCKET_API_ENDPOINT');
      expect(JSON.stringify(getStatements(template()))).not.toContain('execute-api:');
      return;
    }
    const [api] = apis;
    expect(api?.properties.ProtocolType).toBe('WEBSOCKET');
    const processor = getOnlyResource(template(), 'AWS::Lambda::Function', 'EventProcessor').id;
    const integrations = getResources(template(), 'AWS::ApiGatewayV2::Integration', 'LogSocket');
    for (const { properties } of integrations)
      expect(toText(properties.IntegrationUri)).toContain(`<${processor}.Arn>`);
    const routes = getResources(template(), 'AWS::ApiGatewayV2::Route', 'LogSocket').map(
      ({ properties }) => properties,
    );
    expect(routes.map(({ RouteKey }) => RouteKey).sort()).toEqual(['$connect', '$default', '$disconnect']);
    for (const { Target } of routes)
      expect(integrations.map(({ id }) => `integrations/<${id}>`)).toContain(toText(Target));
    const invokers = getResources(template(), 'AWS::Lambda::Permission').filter(
      ({ properties }) =>
        toText(properties.FunctionName) === `<${processor}.Arn>` &&
        toText(properties.SourceArn ?? '').includes(`<${api?.id}>`),
    );
    expect(invokers).toHaveLength(3);
    const { properties: stage } = getOnlyResource(template(), 'AWS::ApiGatewayV2::Stage', 'LogSocket');
    expect(stage).toMatchObject({ StageName: 'live', AutoDeploy: true });
    for (const [part, environment] of getProgramEnvironments(template())) {
      expect(toText(environment.WEBSOCKET_API_ENDPOINT)).toBe(`<${api?.id}.ApiEndpoint>/live`);
      const [sending] = getStatements(template(), part).filter(({ actions }) =>
        actions.includes('execute-api:ManageConnections'),
      );
      expect(sending?.resources).toEqual([
        `arn:aws:execute-api:ap-southeast-2:123456789012:<${api?.id}>/live/*/@connections/*`,
      ]);
    }
  });

  it(`sends ${withExecutions ? 'log lines' : 'no log lines'} to the event processor`, () => {
    expect(getResources(template(), 'AWS::Logs::SubscriptionFilter')).toHaveLength(withExecutions ? 1 : 0);
  });
});
