import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as cloudwatchActions from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as rds from 'aws-cdk-lib/aws-rds';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Deployment } from '../../deployment/schema.js';

type MemoryAlerting = Deployment['reefGuideAPI']['memoryAlerting'];

export interface MonitoringProps {
  alertEmail: string | undefined;
  memoryAlerting: MemoryAlerting;
  clusterName: string;
  reefGuideApi: ecs.FargateService;
  capacityManager: ecs.FargateService;
  /** Target group of the API on Fargate, or function of the API on Lambda. */
  webApi: { targets: elb.ApplicationTargetGroup } | { fn: lambda.Function };
  processor: lambda.Function;
  deadLetters: sqs.Queue;
  database: rds.DatabaseInstance | undefined;
  storageGb: number | undefined;
}

interface AlarmOptions {
  /** Limit of the metric: the alarm fires at this value and above, or below the value with `below`. */
  threshold: number;
  below?: boolean;
  periods?: number;
  /** Lets the alarm fire when the metric has no value. */
  alarmOnMissing?: boolean;
}

/** Alarms of the deployment, which send e-mail when an address is configured. */
export class Monitoring extends Construct {
  private readonly action: cloudwatchActions.SnsAction | undefined;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    this.action = props.alertEmail ? this.addEmail('Alerts', props.alertEmail) : undefined;
    this.addAlarm(
      'DeadLetters',
      'Events that could not be applied wait in the dead-letter queue',
      props.deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: cloudwatch.Stats.MAXIMUM }),
      { threshold: 1 },
    );
    this.addAlarm('ProcessorErrors', 'The event processor failed', props.processor.metricErrors(), { threshold: 3 });
    const runningManagers = new cloudwatch.Metric({
      namespace: 'ECS/ContainerInsights',
      metricName: 'RunningTaskCount',
      dimensionsMap: { ClusterName: props.clusterName, ServiceName: props.capacityManager.serviceName },
      statistic: cloudwatch.Stats.MAXIMUM,
    });
    const none = { threshold: 1, below: true, periods: 2, alarmOnMissing: true };
    this.addAlarm('ManagerAway', 'No capacity manager runs: jobs wait without workers', runningManagers, none);
    if ('fn' in props.webApi) {
      this.addAlarm('ApiErrors', 'The web API failed', props.webApi.fn.metricErrors(), { threshold: 5 });
    } else {
      this.addAlarm(
        'ApiErrors',
        'The web API answers with server errors',
        props.webApi.targets.metrics.httpCodeTarget(elb.HttpCodeTarget.TARGET_5XX_COUNT),
        { threshold: 10 },
      );
      this.addAlarm(
        'ApiUnhealthy',
        'No web API is ready',
        props.webApi.targets.metrics.healthyHostCount({ statistic: cloudwatch.Stats.MAXIMUM }),
        none,
      );
    }
    if (props.database) this.watchDatabase(props.database, props.storageGb ?? 0);
    if (props.memoryAlerting) this.watchMemory(props.reefGuideApi, props.memoryAlerting);
  }

  private watchDatabase(database: rds.DatabaseInstance, storageGb: number): void {
    this.addAlarm('DatabaseCpu', 'The database computes without a pause', database.metricCPUUtilization(), {
      threshold: 90,
      periods: 3,
    });
    this.addAlarm(
      'DatabaseStorage',
      'The storage of the database runs out',
      database.metricFreeStorageSpace({ statistic: cloudwatch.Stats.MINIMUM }),
      { threshold: storageGb * 0.1 * 1024 ** 3, below: true },
    );
  }

  /** Sends e-mail to the address of ReefGuideAPI's operators, in addition to the address of all alarms. */
  private watchMemory(service: ecs.FargateService, alerting: NonNullable<MemoryAlerting>): void {
    const action = this.addEmail('Memory', alerting.emailAddress);
    const period = Duration.seconds(alerting.metricPeriod);
    for (const [name, statistic, threshold] of [
      ['MemoryAverage', cloudwatch.Stats.AVERAGE, alerting.averageThreshold],
      ['MemoryMaximum', cloudwatch.Stats.MAXIMUM, alerting.maxThreshold],
    ] as const) {
      const description = `ReefGuideAPI uses ${threshold} % of its memory (${statistic})`;
      const metric = service.metricMemoryUtilization({ statistic, period });
      const options = { threshold, periods: alerting.evaluationPeriods };
      this.addAlarm(name, description, metric, options).addAlarmAction(action);
    }
  }

  private addAlarm(id: string, alarmDescription: string, metric: cloudwatch.IMetric, options: AlarmOptions) {
    const { threshold, below, periods, alarmOnMissing } = options;
    const alarm = new cloudwatch.Alarm(this, id, {
      metric,
      alarmDescription,
      threshold,
      comparisonOperator: below
        ? cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
        : cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: periods ?? 1,
      treatMissingData: alarmOnMissing
        ? cloudwatch.TreatMissingData.BREACHING
        : cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    if (this.action) {
      alarm.addAlarmAction(this.action);
      alarm.addOkAction(this.action);
    }
    return alarm;
  }

  private addEmail(id: string, address: string): cloudwatchActions.SnsAction {
    const topic = new sns.Topic(this, id, { displayName: 'ReefGuide', enforceSSL: true });
    topic.addSubscription(new subscriptions.EmailSubscription(address));
    return new cloudwatchActions.SnsAction(topic);
  }
}
