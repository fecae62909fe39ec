import type { Logger } from 'pino';
import type { AttemptLimits } from '../accounts/attempt-limits.js';
import type { ServiceAccount } from '../accounts/service-accounts.js';
import type { SigningKeys } from '../accounts/signing-keys.js';
import type { RequestLog } from '../audit/request-log.js';
import type { Aws } from '../aws/clients.js';
import type { ServiceControl } from '../aws/ecs-service.js';
import type { Database } from '../database/database.js';
import type { ServerEnvironment } from '../environment/server.js';
import type { CommandRunner } from '../executions/runners/runner.js';
import type { EncryptionKeys } from '../executions/secrets/encryption.js';
import type { JobTypeRegistry } from '../jobs/types/registry.js';
import type { Storages } from '../storage/contract.js';
import type { LocalStorage } from '../storage/local.js';
import type { UrlSigner } from '../storage/signed-url.js';

export interface ServiceDependencies {
  environment: ServerEnvironment;
  log: Logger;
  database: Database;
  /** Direct connection string for LISTEN, because LISTEN does not work through a pooler. */
  listenUrl: string;
  keys: SigningKeys;
  types: JobTypeRegistry;
  storages: Storages;
  localStorage: LocalStorage | undefined;
  signer: UrlSigner;
  serviceAccounts: readonly ServiceAccount[];
  limits: AttemptLimits;
  /** Encrypts secrets; undefined: this deployment stores no secrets. */
  encryption?: EncryptionKeys | undefined;
  provider: 'local' | 'ecs';
  aws: Aws;
  requestLog?: RequestLog | undefined;
  /** Runs ad hoc commands; undefined: this server runs no commands. */
  runner?: CommandRunner | undefined;
  /** The ECS service behind `/api/admin`. */
  ecsService?: ServiceControl | undefined;
  /** Longest wait of a request; undefined: as long as the request asks for. */
  maxRequestMs?: number | undefined;
  /** Milliseconds since 1970. */
  now(): number;
}
