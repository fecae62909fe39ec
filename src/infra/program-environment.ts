import type { Deployment } from '../deployment/schema.js';

export type ProgramHost = 'container' | 'lambda';

export interface ProgramResources {
  resultsBucketName: string;
  clusterName: string;
  serviceName: string;
  adminSecretArn: string;
  managerSecretArn: string;
  workerSecretArn: string;
  databaseSecretArn: string | undefined;
  /** Variables of the executions and of their WebSockets; empty without executions. */
  executions: Record<string, string>;
}

/** The host's file with the certificates of RDS: part of our image, and of Lambda's runtime. */
const certificates = { container: '/etc/ssl/certs/rds-global-bundle.pem', lambda: '/var/runtime/ca-cert.pem' };

/** Returns the variables of the API and the event processor. Secrets appear as ARNs, which the program reads at start. */
export function toProgramEnvironment(
  deployment: Deployment,
  resources: ProgramResources,
  host: ProgramHost,
): Record<string, string> {
  const { webAPI, domains, aws, monitoring } = deployment;
  return {
    NODE_ENV: webAPI.nodeEnv,
    PUBLIC_API_URL: `https://${domains.webAPI}`,
    ALLOWED_ORIGINS: `https://${domains.frontend}`,
    // Counts one proxy before the program: the load balancer or API Gateway.
    TRUST_PROXY: '1',
    S3_BUCKET_NAME: resources.resultsBucketName,
    API_SECRETS_ARN: webAPI.apiSecretsArn,
    ADMIN_SECRET_ARN: resources.adminSecretArn,
    MANAGER_SECRET_ARN: resources.managerSecretArn,
    WORKER_SECRET_ARN: resources.workerSecretArn,
    ...(resources.databaseSecretArn ? { DATABASE_SECRET_ARN: resources.databaseSecretArn } : {}),
    ECS_CLUSTER_NAME: resources.clusterName,
    ECS_SERVICE_NAME: resources.serviceName,
    NODE_EXTRA_CA_CERTS: certificates[host],
    ...(monitoring?.sentryDsn ? { SENTRY_DSN: monitoring.sentryDsn } : {}),
    ...resources.executions,
    // Leaves the region out on Lambda, which sets the variable and reserves its name.
    ...(host === 'container' ? { AWS_REGION: aws.region, HOST: '0.0.0.0', PORT: String(webAPI.port) } : {}),
  };
}
