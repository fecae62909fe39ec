import type { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { ECSClient } from '@aws-sdk/client-ecs';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SetupError } from '../contract/errors.js';

export interface AwsOptions {
  /** Unset: the SDK's own chain (`AWS_REGION`, then the profile). */
  region?: string | undefined;
  /** Of S3 alone, when it is not AWS. `AWS_ENDPOINT_URL` (of everything) is honoured by the SDK itself. */
  s3Endpoint?: string | undefined;
}

/** Every client of AWS, each made on first use: loading one costs a tenth of a second and up to 30 MB. */
export interface Aws {
  /** Of the WebSocket API whose address this is, `wss://…/stage` or `https://…/stage`. */
  apiGatewayManagement(endpoint: string): Promise<ApiGatewayManagementApiClient>;
  cloudFormation(): Promise<CloudFormationClient>;
  cloudWatchLogs(): Promise<CloudWatchLogsClient>;
  ec2(): Promise<EC2Client>;
  ecs(): Promise<ECSClient>;
  s3(): Promise<S3Client>;
  secretsManager(): Promise<SecretsManagerClient>;
  /** Ends open connections; the next use makes new clients, which read the credentials anew. */
  reset(): Promise<void>;
}

/** The one place that builds clients of AWS: default credential chain, adaptive retries, bounded times. */
export function createAws(options: AwsOptions = {}): Aws {
  // What the SDK will want of Node.js one day is for package.json to follow, not for who runs a command.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const resets: (() => Promise<void>)[] = [];
  const socketApis = new Map<string, () => Promise<ApiGatewayManagementApiClient>>();
  const lazily = <C extends { destroy(): void }>(make: () => Promise<C>): (() => Promise<C>) => {
    let client: Promise<C> | undefined;
    resets.push(async () => {
      const before = client;
      client = undefined;
      (await before?.catch(() => undefined))?.destroy();
    });
    return () => {
      client ??= make();
      return client;
    };
  };
  const shared = {
    ...(options.region ? { region: options.region } : {}),
    retryMode: 'adaptive',
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true },
  };
  return {
    apiGatewayManagement(address) {
      const endpoint = address.replace(/^ws/, 'http');
      const client =
        socketApis.get(endpoint) ??
        lazily(async () => {
          const { ApiGatewayManagementApiClient } = await import('@aws-sdk/client-apigatewaymanagementapi');
          return new ApiGatewayManagementApiClient({ ...shared, endpoint });
        });
      socketApis.set(endpoint, client);
      return client();
    },
    cloudFormation: lazily(async () => {
      const { CloudFormationClient } = await import('@aws-sdk/client-cloudformation');
      return new CloudFormationClient(shared);
    }),
    cloudWatchLogs: lazily(async () => {
      const { CloudWatchLogsClient } = await import('@aws-sdk/client-cloudwatch-logs');
      return new CloudWatchLogsClient(shared);
    }),
    ec2: lazily(async () => {
      const { EC2Client } = await import('@aws-sdk/client-ec2');
      return new EC2Client(shared);
    }),
    ecs: lazily(async () => {
      const { ECSClient } = await import('@aws-sdk/client-ecs');
      return new ECSClient(shared);
    }),
    s3: lazily(async () => {
      const { S3Client } = await import('@aws-sdk/client-s3');
      const endpoint = options.s3Endpoint;
      // A server that is not AWS seldom answers for a name like `bucket.host`.
      const elsewhere = endpoint ?? process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL;
      return new S3Client({
        ...shared,
        // A large file takes as long as it takes; a silent connection is still given up.
        requestHandler: { connectionTimeout: 3_000, socketTimeout: 60_000 },
        ...(endpoint ? { endpoint } : {}),
        ...(elsewhere ? { forcePathStyle: true } : {}),
      });
    }),
    secretsManager: lazily(async () => {
      const { SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
      return new SecretsManagerClient(shared);
    }),
    async reset() {
      await Promise.all(resets.map((reset) => reset()));
    },
  };
}

/** Bucket and key of `s3://bucket/key…`. */
export function parseS3Uri(uri: string): { bucket: string; key: string } {
  const match = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri);
  if (!match?.[1]) throw new SetupError(`Not an S3 location: ${uri}`);
  return { bucket: match[1], key: match[2] ?? '' };
}
