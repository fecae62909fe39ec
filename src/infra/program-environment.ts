import type { Deployment } from '../deployment/schema.js';

export type ProgramHost = 'container' | 'lambda';

/** The host's file with the certificates of RDS: part of our image, and of Lambda's runtime. */
const certificates = { container: '/etc/ssl/certs/rds-global-bundle.pem', lambda: '/var/runtime/ca-cert.pem' };

/**
 * Returns the variables of the API and the event processor. Secrets appear as ARNs, which the program reads at start.
 * `resources` names bucket, secrets and services; `executions` has the variables of executions, if any.
 */
export function toProgramEnvironment(
  deployment: Deployment,
  resources: Record<string, string>,
  executions: Record<string, string>,
  host: ProgramHost,
): Record<string, string> {
  const { webAPI, domains, aws, monitoring } = deployment;
  return {
    NODE_ENV: webAPI.nodeEnv,
    PUBLIC_API_URL: `https://${domains.webAPI}`,
    ALLOWED_ORIGINS: `https://${domains.frontend}`,
    // Counts one proxy before the program: the load balancer or API Gateway.
    TRUST_PROXY: '1',
    ...resources,
    NODE_EXTRA_CA_CERTS: certificates[host],
    ...(monitoring?.sentryDsn ? { SENTRY_DSN: monitoring.sentryDsn } : {}),
    ...executions,
    // Leaves the region out on Lambda, which sets the variable and reserves its name.
    ...(host === 'container' ? { AWS_REGION: aws.region, HOST: '0.0.0.0', PORT: String(webAPI.port) } : {}),
  };
}
