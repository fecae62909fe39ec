import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import { type ApplicationTargetGroup, HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { DatabaseInstance } from 'aws-cdk-lib/aws-rds';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Deployment } from '../../deployment/schema.js';

export interface MonitoringProps {
  alertEmail: string | undefined;
  memoryAlerting: Deployment['reefGuideAPI']['memoryAlerting'];
  clusterName: string;
  reefGuideApi: FargateService;
  capacityManager: FargateService;
  /** Target group of the API on Fargate, or function of the API on Lambda. */
  webApi: { targets: ApplicationTargetGroup } | { fn: LambdaFunction };
  processor: LambdaFunction;
  deadLetters: Queue;
  database: DatabaseInstance | undefined;
  storageGb: number | undefined;
}

interface AlarmOptions {
  metric: IMetric;
  description: string;
  /** Limit of the metric: the alarm fires at this value and above, or below the value with `below`. */
  threshold: number;
  below?: boolean;
  periods?: number;
  /** Lets the alarm fire when the metric has no value. */
  alarmOnMissing?: boolean;
}

/** Alarms of the deployment, which send e-mail when an address is configured. */
export class Monitoring extends Construct {
  private readonly action: SnsAction | undefined;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    this.action = props.alertEmail ? this.addEmail('Alerts', props.alertEmail) : undefined;
    this.addAlarm('DeadLetters', {
      metric: props.deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: Stats.MAXIMUM }),
      description: 'Events that could not be applied wait in the dead-letter queue',
      threshold: 1,
    });
    this.addAlarm('ProcessorErrors', {
      metric: props.processor.metricErrors(),
      description: 'The event processor failed',
      threshold: 3,
    });
    this.addAlarm('ManagerAway', {
      metric: new Metric({
        namespace: 'ECS/ContainerInsights',
        metricName: 'RunningTaskCount',
        dimensionsMap: { ClusterName: props.clusterName, ServiceName: props.capacityManager.serviceName },
        statistic: Stats.MAXIMUM,
      }),
      description: 'No capacity manager runs: jobs wait without workers',
      threshold: 1,
      below: true,
      periods: 2,
      alarmOnMissing: true,
    });
    if ('fn' in props.webApi) {
      this.addAlarm('ApiErrors', {
        metric: props.webApi.fn.metricErrors(),
        description: 'The web API failed',
        threshold: 5,
      });
    } else {
      this.addAlarm('ApiErrors', {
        metric: props.webApi.targets.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT),
        description: 'The web API answers with server errors',
        threshold: 10,
      });
      this.addAlarm('ApiUnhealthy', {
        metric: props.webApi.targets.metrics.healthyHostCount({ statistic: Stats.MAXIMUM }),
        description: 'No web API is ready',
        threshold: 1,
        below: true,
        periods: 2,
        alarmOnMissing: true,
      });
    }
    if (props.database) this.watchDatabase(props.database, props.storageGb ?? 0);
    if (props.memoryAlerting) this.watchMemory(props.reefGuideApi, props.memoryAlerting);
  }

  private watchDatabase(database: DatabaseInstance, storageGb: number): void {
    this.addAlarm('DatabaseCpu', {
      metric: database.metricCPUUtilization(),
      description: 'The database computes without a pause',
      threshold: 90,
      periods: 3,
    });
    this.addAlarm('DatabaseStorage', {
      metric: database.metricFreeStorageSpace({ statistic: Stats.MINIMUM }),
      description: 'The storage of the database runs out',
      threshold: storageGb * 0.1 * 1024 ** 3,
      below: true,
    });
  }

  /** Sends e-mail to the address of ReefGuideAPI's operators, in addition to the address of all alarms. */
  private watchMemory(
    service: FargateService,
    alerting: NonNullable<Deployment['reefGuideAPI']['memoryAlerting']>,
  ): void {
    const action = this.addEmail('Memory', alerting.emailAddress);
    const period = Duration.seconds(alerting.metricPeriod);
    for (const [name, statistic, threshold] of [
      ['MemoryAverage', Stats.AVERAGE, alerting.averageThreshold],
      ['MemoryMaximum', Stats.MAXIMUM, alerting.maxThreshold],
    ] as const) {
      const alarm = this.addAlarm(name, {
        metric: service.metricMemoryUtilization({ statistic, period }),
        description: `ReefGuideAPI uses ${threshold} % of its memory (${statistic})`,
        threshold,
        periods: alerting.evaluationPeriods,
      });
      alarm.addAlarmAction(action);
    }
  }

  private addAlarm(
    id: string,
    { metric, description, threshold, below, periods, alarmOnMissing }: AlarmOptions,
  ): Alarm {
    const alarm = new Alarm(this, id, {
      metric,
      alarmDescription: description,
      threshold,
      comparisonOperator: below
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: periods ?? 1,
      treatMissingData: alarmOnMissing ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    if (this.action) {
      alarm.addAlarmAction(this.action);
      alarm.addOkAction(this.action);
    }
    return alarm;
  }

  private addEmail(id: string, address: string): SnsAction {
    const topic = new Topic(this, id, { displayName: 'ReefGuide', enforceSSL: true });
    topic.addSubscription(new EmailSubscription(address));
    return new SnsAction(topic);
  }
}
