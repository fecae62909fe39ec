import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  HttpMethods,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { acknowledge } from '../nag.js';

/** What every bucket is: encrypted, closed to the public, reached through TLS alone. */
const closed = {
  encryption: BucketEncryption.S3_MANAGED,
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
} satisfies BucketProps;

const withoutRests = { id: 'uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) };

/** Access logs of the buckets, the load balancer and CloudFront. */
export function logsBucket(scope: Construct): Bucket {
  const bucket = new Bucket(scope, 'LogsBucket', {
    ...closed,
    // CloudFront delivers its logs with an ACL.
    objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
    lifecycleRules: [{ id: 'expiry', expiration: Duration.days(90) }],
    removalPolicy: RemovalPolicy.RETAIN,
  });
  acknowledge(bucket, 'It holds the access logs; a log of its own would log the logging.', 'S1');
  return bucket;
}

/** The files of jobs. They can be computed again, so they end after 30 days. */
export function resultsBucket(scope: Construct, logs: IBucket, frontendDomain: string): Bucket {
  return new Bucket(scope, 'ResultsBucket', {
    ...closed,
    serverAccessLogsBucket: logs,
    serverAccessLogsPrefix: 'results/',
    lifecycleRules: [withoutRests, { id: 'expiry', expiration: Duration.days(30) }],
    cors: [
      {
        allowedMethods: [HttpMethods.GET],
        allowedOrigins: [`https://${frontendDomain}`],
        allowedHeaders: ['*'],
        exposedHeaders: ['ETag', 'Content-Length', 'Content-Disposition'],
        maxAge: 3600,
      },
    ],
    removalPolicy: RemovalPolicy.RETAIN,
  });
}

/** The way of data into the file system and out of it. */
export function dataBucket(scope: Construct, logs: IBucket): Bucket {
  return new Bucket(scope, 'DataBucket', {
    ...closed,
    versioned: true,
    serverAccessLogsBucket: logs,
    serverAccessLogsPrefix: 'data/',
    lifecycleRules: [withoutRests, { id: 'versions', noncurrentVersionExpiration: Duration.days(30) }],
    removalPolicy: RemovalPolicy.RETAIN,
  });
}

/** The web pages; a deployment of the frontend puts them there again. */
export function frontendBucket(scope: Construct, logs: IBucket): Bucket {
  return new Bucket(scope, 'Bucket', {
    ...closed,
    serverAccessLogsBucket: logs,
    serverAccessLogsPrefix: 'frontend/',
    lifecycleRules: [withoutRests],
    removalPolicy: RemovalPolicy.RETAIN,
  });
}
