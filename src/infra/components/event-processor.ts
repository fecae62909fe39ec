import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as eventsTargets from 'aws-cdk-lib/aws-events-targets';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as logsDestinations from 'aws-cdk-lib/aws-logs-destinations';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ProgramFunction, type ProgramFunctionProps } from './program-function.js';

export interface EventProcessorProps extends Pick<ProgramFunctionProps, 'bundle' | 'environment' | 'networking'> {
  clusterArn: string;
  /** Log of the executions; undefined without executions. */
  executionLogs: logs.ILogGroup | undefined;
}

/** Records events of AWS in the database: stopped tasks, logged lines, and an hourly check. */
export class EventProcessor extends Construct {
  readonly program: ProgramFunction;
  readonly deadLetters: sqs.Queue;

  constructor(scope: Construct, id: string, props: EventProcessorProps) {
    super(scope, id);
    this.deadLetters = new sqs.Queue(this, 'DeadLetters', {
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.program = new ProgramFunction(this, 'Program', {
      ...props,
      description: 'ReefGuide: the event processor',
      handler: 'dist/server/lambda-processor.handler',
      memoryMiB: 512,
      timeoutSeconds: 60,
      deadLetterQueue: this.deadLetters,
    });
    // EventBridge moves events that cannot be delivered into the queue.
    const delivery = { deadLetterQueue: this.deadLetters, retryAttempts: 8 };
    const createTarget = () => new eventsTargets.LambdaFunction(this.program.fn, delivery);
    new events.Rule(this, 'TaskStateChange', {
      description: 'Tasks of the ReefGuide cluster change their state',
      eventPattern: {
        source: ['aws.ecs'],
        detailType: ['ECS Task State Change'],
        detail: { clusterArn: [props.clusterArn] },
      },
      targets: [createTarget()],
    });
    new events.Rule(this, 'Hourly', {
      description: 'ReefGuide compares what it recorded with what exists',
      schedule: events.Schedule.rate(Duration.hours(1)),
      targets: [createTarget()],
    });
    props.executionLogs?.addSubscriptionFilter('Lines', {
      destination: new logsDestinations.LambdaDestination(this.program.fn),
      filterPattern: logs.FilterPattern.allEvents(),
    });
  }
}
