import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { acknowledge } from '../nag.js';

/** Settings of every bucket: kept, encrypted, closed to the public, reached through TLS alone. */
const baseProps = {
  encryption: s3.BucketEncryption.S3_MANAGED,
  blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  removalPolicy: RemovalPolicy.RETAIN,
} satisfies s3.BucketProps;

const abortUploads = { id: 'uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) };

/** Creates the bucket for the access logs of buckets, load balancer and CloudFront. */
export function createLogsBucket(scope: Construct): s3.Bucket {
  const bucket = new s3.Bucket(scope, 'LogsBucket', {
    ...baseProps,
    // CloudFront delivers its logs with an ACL.
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
    lifecycleRules: [{ id: 'expiry', expiration: Duration.days(90) }],
  });
  acknowledge(bucket, { S1: 'The bucket stores access logs; a log of its own would log the logging.' });
  return bucket;
}

/** Creates the bucket for the files of jobs, which expire after 30 days because a job can compute them again. */
export function createResultsBucket(scope: Construct, logs: s3.IBucket, frontendDomain: string): s3.Bucket {
  return new s3.Bucket(scope, 'ResultsBucket', {
    ...baseProps,
    serverAccessLogsBucket: logs,
    serverAccessLogsPrefix: 'results/',
    lifecycleRules: [abortUploads, { id: 'expiry', expiration: Duration.days(30) }],
    cors: [
      {
        allowedMethods: [s3.HttpMethods.GET],
        allowedOrigins: [`https://${frontendDomain}`],
        allowedHeaders: ['*'],
        exposedHeaders: ['ETag', 'Content-Length', 'Content-Disposition'],
        maxAge: 3600,
      },
    ],
  });
}

/** Creates the bucket through which operators move data into the file system and out of the file system. */
export function createDataBucket(scope: Construct, logs: s3.IBucket): s3.Bucket {
  return new s3.Bucket(scope, 'DataBucket', {
    ...baseProps,
    versioned: true,
    serverAccessLogsBucket: logs,
    serverAccessLogsPrefix: 'data/',
    lifecycleRules: [abortUploads, { id: 'versions', noncurrentVersionExpiration: Duration.days(30) }],
  });
}

/** Creates the bucket for the web pages, which a deployment of the frontend uploads. */
export function createFrontendBucket(scope: Construct, logs: s3.IBucket): s3.Bucket {
  return new s3.Bucket(scope, 'Bucket', {
    ...baseProps,
    serverAccessLogsBucket: logs,
    serverAccessLogsPrefix: 'frontend/',
    lifecycleRules: [abortUploads],
  });
}
