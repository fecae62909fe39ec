import type { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { ECSClient } from '@aws-sdk/client-ecs';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SetupError } from '../contract/errors.js';

export interface AwsOptions {
  /** Unset: the SDK reads `AWS_REGION`, then the profile. */
  region?: string | undefined;
  /** Endpoint of S3 alone, for storage outside AWS; the SDK reads `AWS_ENDPOINT_URL` for all services. */
  s3Endpoint?: string | undefined;
}

/** Clients of AWS, each made on first use, because loading a client takes a tenth of a second and up to 30 MB. */
export interface Aws {
  /** `endpoint` is the address of a WebSocket API, for example `wss://abc.execute-api.ap-southeast-2.amazonaws.com/live`. */
  apiGatewayManagement(endpoint: string): Promise<ApiGatewayManagementApiClient>;
  cloudFormation(): Promise<CloudFormationClient>;
  cloudWatchLogs(): Promise<CloudWatchLogsClient>;
  ec2(): Promise<EC2Client>;
  ecs(): Promise<ECSClient>;
  s3(): Promise<S3Client>;
  secretsManager(): Promise<SecretsManagerClient>;
  /** Closes open connections; the next use makes new clients with freshly read credentials. */
  reset(): Promise<void>;
}

/** Builds every client of AWS: default credential chain, adaptive retries, timeouts. */
export function createAws(options: AwsOptions = {}): Aws {
  // package.json names the supported versions of Node.js, so users of a command need no warning of the SDK.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const clients = new LazyClients();
  const lazy = <C extends { destroy(): void }>(make: () => Promise<C>) => clients.add(make);
  const base = {
    ...(options.region ? { region: options.region } : {}),
    retryMode: 'adaptive',
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true },
  };
  const socketClients = new Map<string, () => Promise<ApiGatewayManagementApiClient>>();
  const addSocketClient = (endpoint: string) => {
    const client = lazy(async () => {
      const { ApiGatewayManagementApiClient } = await import('@aws-sdk/client-apigatewaymanagementapi');
      return new ApiGatewayManagementApiClient({ ...base, endpoint });
    });
    socketClients.set(endpoint, client);
    return client;
  };
  return {
    apiGatewayManagement(address) {
      const endpoint = address.replace(/^ws/, 'http');
      const client = socketClients.get(endpoint) ?? addSocketClient(endpoint);
      return client();
    },
    cloudFormation: lazy(async () => new (await import('@aws-sdk/client-cloudformation')).CloudFormationClient(base)),
    cloudWatchLogs: lazy(async () => new (await import('@aws-sdk/client-cloudwatch-logs')).CloudWatchLogsClient(base)),
    ec2: lazy(async () => new (await import('@aws-sdk/client-ec2')).EC2Client(base)),
    ecs: lazy(async () => new (await import('@aws-sdk/client-ecs')).ECSClient(base)),
    s3: lazy(async () => {
      const { S3Client } = await import('@aws-sdk/client-s3');
      return new S3Client({ ...base, ...toS3Options(options.s3Endpoint) });
    }),
    secretsManager: lazy(async () => new (await import('@aws-sdk/client-secrets-manager')).SecretsManagerClient(base)),
    reset: () => clients.reset(),
  };
}

class LazyClients {
  private readonly resets: (() => Promise<void>)[] = [];

  /** Returns a function that makes the client when first called, and when first called after a reset. */
  add<C extends { destroy(): void }>(make: () => Promise<C>): () => Promise<C> {
    let client: Promise<C> | undefined;
    this.resets.push(async () => {
      const previous = client;
      client = undefined;
      (await previous?.catch(() => undefined))?.destroy();
    });
    return () => {
      client ??= make();
      return client;
    };
  }

  async reset(): Promise<void> {
    await Promise.all(this.resets.map((reset) => reset()));
  }
}

function toS3Options(endpoint: string | undefined) {
  const customEndpoint = endpoint ?? process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL;
  return {
    // No request timeout, because a large file takes minutes; a silent connection still ends.
    requestHandler: { connectionTimeout: 3_000, socketTimeout: 60_000 },
    ...(endpoint ? { endpoint } : {}),
    // Storage outside AWS seldom answers for host names such as `bucket.host`.
    ...(customEndpoint ? { forcePathStyle: true } : {}),
  };
}

/** Splits an S3 location: `s3://bucket/results/1/` → `{ bucket: 'bucket', key: 'results/1/' }`. */
export function parseS3Uri(uri: string): { bucket: string; key: string } {
  const match = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri);
  if (!match?.[1]) throw new SetupError(`Invalid S3 location ${uri}: expected s3://BUCKET/KEY`);
  return { bucket: match[1], key: match[2] ?? '' };
}
