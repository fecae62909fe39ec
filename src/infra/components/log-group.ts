import { RemovalPolicy } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** Creates a log whose lines expire, and which goes with the stack. */
export const createLogGroup = (scope: Construct, id: string, retention = logs.RetentionDays.ONE_MONTH) =>
  new logs.LogGroup(scope, id, { retention, removalPolicy: RemovalPolicy.DESTROY });
