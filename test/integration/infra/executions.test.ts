import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  allowed,
  flat,
  onlyResource,
  programsOf,
  resourcesOf,
  type Synthesised,
  synthesiseVariants,
  type Variant,
  variantNames,
} from '../../support/templates.js';

let all: Record<Variant, Synthesised>;
beforeAll(async () => {
  all = await synthesiseVariants();
}, 120_000);

describe.each(variantNames)('the stack %s', (variant) => {
  const template = () => all[variant].template;
  const onLambda = variant.includes('Lambda');
  const withDatabase = variant.includes('with a database');
  const withExecutions = variant !== 'on ECS without a database';

  it(`${withExecutions ? 'tells programs where executions run' : 'has no executions'}`, () => {
    for (const [, environment] of programsOf(template())) {
      const given = Object.entries(environment).filter(([name]) => name.startsWith('EXECUTION_'));
      const values = Object.fromEntries(given.map(([name, value]) => [name, flat(value)]));
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
        // An image that can be pulled, also where the configuration says `reefguide`.
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
    const ours = resourcesOf(template(), 'AWS::ECS::TaskDefinition').filter(({ id }) => id.includes('Execution'));
    expect(ours).toEqual([]);
  });

  it('lets the API start executions and the event processor end them, in this cluster', () => {
    const [[api = ''] = [], [processor = ''] = []] = programsOf(template());
    const ofCluster = { ArnEquals: { 'ecs:cluster': expect.anything() } };
    const logs = resourcesOf(template(), 'AWS::Logs::LogGroup', 'ExecutionsLogs').map(({ id }) => `<${id}.Arn>`);
    for (const part of [api, processor]) {
      const statements = allowed(template(), part);
      const of = (action: string) => statements.filter(({ actions }) => actions.includes(action));
      const some = (one: object) => (withExecutions ? [expect.objectContaining(one)] : []);
      expect(of('ecs:StopTask')).toEqual(
        some({
          actions: ['ecs:DescribeTasks', 'ecs:StopTask'],
          resources: [expect.stringMatching(/:task\/<NetworkingCluster\w+>\/\*$/)],
          condition: ofCluster,
        }),
      );
      expect(of('ecs:DescribeTaskDefinition')).toEqual(some({ resources: ['*'] }));
      const readable = of('logs:FilterLogEvents').flatMap(({ resources }) => resources);
      expect(readable.filter((one) => String(one).includes('Executions'))).toEqual(withExecutions ? logs : []);
    }
    const mayStart = (part: string) =>
      allowed(template(), part).filter(({ actions }) => actions.includes('ecs:RunTask'));
    expect(mayStart(processor)).toEqual([]);
    expect(mayStart(api)).toEqual(
      withExecutions
        ? [
            expect.objectContaining({
              actions: ['ecs:RunTask'],
              resources: ['arn:aws:ecs:ap-southeast-2:123456789012:task-definition/ReefGuide-Sample-execution-*'],
              condition: ofCluster,
            }),
          ]
        : [],
    );
  });

  it('lets both define what images run as, with the roles of executions alone', () => {
    for (const [part] of programsOf(template())) {
      const statements = allowed(template(), part);
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

  it('gives tasks of executions a role that allows nothing, and another that pulls and logs', () => {
    if (!withExecutions) return;
    expect(allowed(template(), 'ExecutionsTaskRole')).toEqual([]);
    const { properties } = onlyResource(template(), 'AWS::IAM::Role', 'ExecutionsTaskRole');
    expect([properties.ManagedPolicyArns, properties.Policies]).toEqual([undefined, undefined]);
    const actions = allowed(template(), 'ExecutionsExecutionRole').flatMap((one) => one.actions);
    expect(actions.sort()).toEqual([
      'ecr:BatchCheckLayerAvailability',
      'ecr:BatchGetImage',
      'ecr:GetAuthorizationToken',
      'ecr:GetDownloadUrlForLayer',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
  });

  it(`has ${onLambda ? 'a WebSocket API, whose events the processor gets' : 'no WebSocket API: the API serves its own'}`, () => {
    const apis = resourcesOf(template(), 'AWS::ApiGatewayV2::Api', 'LogSocket');
    if (!onLambda) {
      expect(apis).toEqual([]);
      for (const [, environment] of programsOf(template()))
        expect(environment).not.toHaveProperty('WEBSOCKET_API_ENDPOINT');
      expect(JSON.stringify(allowed(template()))).not.toContain('execute-api:');
      return;
    }
    const [api] = apis;
    expect(api?.properties.ProtocolType).toBe('WEBSOCKET');
    const processor = onlyResource(template(), 'AWS::Lambda::Function', 'EventProcessor').id;
    const integrations = resourcesOf(template(), 'AWS::ApiGatewayV2::Integration', 'LogSocket');
    for (const { properties } of integrations) expect(flat(properties.IntegrationUri)).toContain(`<${processor}.Arn>`);
    const routes = resourcesOf(template(), 'AWS::ApiGatewayV2::Route', 'LogSocket').map(({ properties }) => properties);
    expect(routes.map(({ RouteKey }) => RouteKey).sort()).toEqual(['$connect', '$default', '$disconnect']);
    for (const { Target } of routes)
      expect(integrations.map(({ id }) => `integrations/<${id}>`)).toContain(flat(Target));
    const invokers = resourcesOf(template(), 'AWS::Lambda::Permission').filter(
      ({ properties }) =>
        flat(properties.FunctionName) === `<${processor}.Arn>` &&
        flat(properties.SourceArn ?? '').includes(`<${api?.id}>`),
    );
    expect(invokers).toHaveLength(3);
    const { properties: stage } = onlyResource(template(), 'AWS::ApiGatewayV2::Stage', 'LogSocket');
    expect(stage).toMatchObject({ StageName: 'live', AutoDeploy: true });
    for (const [part, environment] of programsOf(template())) {
      expect(flat(environment.WEBSOCKET_API_ENDPOINT)).toBe(`<${api?.id}.ApiEndpoint>/live`);
      const [sending] = allowed(template(), part).filter(({ actions }) =>
        actions.includes('execute-api:ManageConnections'),
      );
      expect(sending?.resources).toEqual([
        `arn:aws:execute-api:ap-southeast-2:123456789012:<${api?.id}>/live/*/@connections/*`,
      ]);
    }
  });

  it(`${withExecutions ? 'sends their lines' : 'sends no lines'} to the event processor`, () => {
    expect(resourcesOf(template(), 'AWS::Logs::SubscriptionFilter')).toHaveLength(withExecutions ? 1 : 0);
  });
});
