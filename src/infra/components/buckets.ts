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

/** Settings of every bucket: encrypted, closed to the public, reached through TLS alone. */
const baseProps = {
  encryption: BucketEncryption.S3_MANAGED,
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
} satisfies BucketProps;

const abortUploads = { id: 'uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) };

/** Creates the bucket for the access logs of buckets, load balancer and CloudFront. */
export function createLogsBucket(scope: Construct): Bucket {
  const bucket = new Bucket(scope, 'LogsBucket', {
    ...baseProps,
    // CloudFront delivers its logs with an ACL.
    objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
    lifecycleRules: [{ id: 'expiry', expiration: Duration.days(90) }],
    removalPolicy: RemovalPolicy.RETAIN,
  });
  acknowledge(bucket, 'The bucket stores access logs; a log of its own would log the logging.', 'S1');
  return bucket;
}

/** Creates the bucket for the files of jobs, which expire after 30 days because a job can compute them again. */
export function createResultsBucket(scope: Construct, logs: IBucket, frontendDomain: string): Bucket {
  return new Bucket(scope, 'ResultsBucket', {
    ...baseProps,
    serverAccessLogsBucket: logs,
    serverAccessLogsPrefix: 'results/',
    lifecycleRules: [abortUploads, { id: 'expiry', expiration: Duration.days(30) }],
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

/** Creates the bucket through which operators move data into the file system and out of the file system. */
export function createDataBucket(scope: Construct, logs: IBucket): Bucket {
  return new Bucket(scope, 'DataBucket', {
    ...baseProps,
    versioned: true,
    serverAccessLogsBucket: logs,
    serverAccessLogsPrefix: 'data/',
    lifecycleRules: [abortUploads, { id: 'versions', noncurrentVersionExpiration: Duration.days(30) }],
    removalPolicy: RemovalPolicy.RETAIN,
  });
}

/** Creates the bucket for the web pages, which a deployment of the frontend uploads. */
export function createFrontendBucket(scope: Construct, logs: IBucket): Bucket {
  return new Bucket(scope, 'Bucket', {
    ...baseProps,
    serverAccessLogsBucket: logs,
    serverAccessLogsPrefix: 'frontend/',
    lifecycleRules: [abortUploads],
    removalPolicy: RemovalPolicy.RETAIN,
  });
}
