import type { Deployment } from '../deployment/load.js';

export interface ProgramResources {
  resultsBucketName: string;
  clusterName: string;
  serviceName: string;
  adminSecretArn: string;
  managerSecretArn: string;
  workerSecretArn: string;
  databaseSecretArn: string | undefined;
  /** Variables of the executions and of their WebSockets, where there are any. */
  executions: Record<string, string>;
}

/** Where the program finds the certificates of RDS: on Lambda the runtime brings them, in a container the image does. */
const certificates = { container: '/etc/ssl/certs/rds-global-bundle.pem', lambda: '/var/runtime/ca-cert.pem' };

/** What the API and the event processor read. Secrets are named, never given: the program reads them when it starts. */
export function programEnvironment(
  deployment: Deployment,
  resources: ProgramResources,
  place: 'container' | 'lambda',
): Record<string, string> {
  const { webAPI, domains, aws, monitoring } = deployment;
  return {
    NODE_ENV: webAPI.nodeEnv,
    PUBLIC_API_URL: `https://${domains.webAPI}`,
    ALLOWED_ORIGINS: `https://${domains.frontend}`,
    // One proxy stands before the program: the load balancer, or API Gateway.
    TRUST_PROXY: '1',
    S3_BUCKET_NAME: resources.resultsBucketName,
    API_SECRETS_ARN: webAPI.apiSecretsArn,
    ADMIN_SECRET_ARN: resources.adminSecretArn,
    MANAGER_SECRET_ARN: resources.managerSecretArn,
    WORKER_SECRET_ARN: resources.workerSecretArn,
    ...(resources.databaseSecretArn ? { DATABASE_SECRET_ARN: resources.databaseSecretArn } : {}),
    ECS_CLUSTER_NAME: resources.clusterName,
    ECS_SERVICE_NAME: resources.serviceName,
    NODE_EXTRA_CA_CERTS: certificates[place],
    ...(monitoring?.sentryDsn ? { SENTRY_DSN: monitoring.sentryDsn } : {}),
    ...resources.executions,
    // Lambda sets the region itself and lets nobody else.
    ...(place === 'container' ? { AWS_REGION: aws.region, HOST: '0.0.0.0', PORT: String(webAPI.port) } : {}),
  };
}
