import { Duration } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as origins from 'aws-cdk-lib/aws-cloudfront-origins';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Deployment } from '../../deployment/schema.js';
import { acknowledge } from '../nag.js';
import { createFrontendBucket } from './buckets.js';

export interface FrontendProps {
  config: Deployment['frontend'];
  domainName: string;
  /** ARN of a certificate in us-east-1, the only region that CloudFront reads. */
  certificateArn: string;
  logsBucket: s3.IBucket;
}

/** Serves the web pages by CloudFront from a private bucket. */
export class Frontend extends Construct {
  readonly bucket: s3.Bucket;
  readonly distribution: cloudfront.Distribution;

  constructor(scope: Construct, id: string, props: FrontendProps) {
    super(scope, id);
    this.bucket = createFrontendBucket(this, props.logsBucket);
    this.distribution = new cloudfront.Distribution(this, 'Distribution', {
      domainNames: [props.domainName],
      certificate: acm.Certificate.fromCertificateArn(this, 'Certificate', props.certificateArn),
      minimumProtocolVersion: cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
      httpVersion: cloudfront.HttpVersion.HTTP2_AND_3,
      // Includes Australia, which the cheaper classes leave out.
      priceClass: cloudfront.PriceClass.PRICE_CLASS_ALL,
      defaultRootObject: props.config.indexDocument,
      defaultBehavior: {
        origin: origins.S3BucketOrigin.withOriginAccessControl(this.bucket),
        viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        cachePolicy: cloudfront.CachePolicy.CACHING_OPTIMIZED,
        responseHeadersPolicy: cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS,
        compress: true,
      },
      errorResponses: errorResponses(props.config),
      enableLogging: true,
      logBucket: props.logsBucket,
      logFilePrefix: 'cloudfront/',
    });
    acknowledge(this.distribution, {
      CFR1: 'Reef managers work from any country.',
      CFR2: 'Static files for everybody need no filter.',
    });
  }
}

/** Maps 403 and 404 to the error page, because S3 answers 403 for a missing file unless the reader may list the bucket. */
function errorResponses({ indexDocument, errorDocument }: FrontendProps['config']) {
  // Answers 200 for a single-page application, which resolves any path itself.
  const responseHttpStatus = errorDocument === indexDocument ? 200 : 404;
  const response = { responseHttpStatus, responsePagePath: `/${errorDocument}`, ttl: Duration.seconds(10) };
  return [403, 404].map((httpStatus) => ({ httpStatus, ...response }));
}
