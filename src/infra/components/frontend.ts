import { Duration } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  CachePolicy,
  Distribution,
  HttpVersion,
  PriceClass,
  ResponseHeadersPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Deployment } from '../../deployment/load.js';
import { acknowledge } from '../nag.js';
import { frontendBucket } from './buckets.js';

export interface FrontendProps {
  config: Deployment['frontend'];
  domainName: string;
  /** In us-east-1, where CloudFront looks for them. */
  certificateArn: string;
  logsBucket: IBucket;
}

/** The web pages: a private bucket that CloudFront alone reads. */
export class Frontend extends Construct {
  readonly bucket: Bucket;
  readonly distribution: Distribution;

  constructor(scope: Construct, id: string, props: FrontendProps) {
    super(scope, id);
    this.bucket = frontendBucket(this, props.logsBucket);
    this.distribution = new Distribution(this, 'Distribution', {
      domainNames: [props.domainName],
      certificate: Certificate.fromCertificateArn(this, 'Certificate', props.certificateArn),
      minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
      httpVersion: HttpVersion.HTTP2_AND_3,
      // The cheaper classes leave Australia out.
      priceClass: PriceClass.PRICE_CLASS_ALL,
      defaultRootObject: props.config.indexDocument,
      defaultBehavior: {
        origin: S3BucketOrigin.withOriginAccessControl(this.bucket),
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        cachePolicy: CachePolicy.CACHING_OPTIMIZED,
        responseHeadersPolicy: ResponseHeadersPolicy.SECURITY_HEADERS,
        compress: true,
      },
      errorResponses: errorResponses(props.config),
      enableLogging: true,
      logBucket: props.logsBucket,
      logFilePrefix: 'cloudfront/',
    });
    acknowledge(this.distribution, 'Reef managers work from wherever they are.', 'CFR1');
    acknowledge(this.distribution, 'It serves static files to everybody: there is nothing to filter.', 'CFR2');
  }
}

/** To who may not list the bucket, S3 answers 403 for a file that is not there. */
function errorResponses({ indexDocument, errorDocument }: FrontendProps['config']) {
  // An application of one page finds its own way from any path: for it the answer is no error.
  const responseHttpStatus = errorDocument === indexDocument ? 200 : 404;
  return [403, 404].map((httpStatus) => ({
    httpStatus,
    responseHttpStatus,
    responsePagePath: `/${errorDocument}`,
    ttl: Duration.seconds(10),
  }));
}
