import { SetupError, toMessage } from '../contract/errors.js';
import type { Aws } from './clients.js';
import { AwsError, callAws } from './errors.js';
import { parseSecretFields, type SecretReference } from './secret-arn.js';

export type SecretsAws = Pick<Aws, 'secretsManager'>;
export type SecretVersion = Pick<SecretReference, 'arn'> & Partial<Omit<SecretReference, 'arn' | 'jsonKey'>>;

/** Reads the strings of secrets, and each version once, however often the version is requested. */
export class SecretReader {
  private readonly reads = new Map<string, Promise<string>>();

  constructor(private readonly aws: Pick<Aws, 'secretsManager'>) {}

  read(secret: SecretVersion): Promise<string> {
    const key = [secret.arn, secret.versionStage, secret.versionId].join(' ');
    const read = this.reads.get(key) ?? getSecretString(this.aws, secret);
    this.reads.set(key, read);
    return read;
  }
}

async function getSecretString(aws: SecretsAws, { arn, versionStage, versionId }: SecretVersion): Promise<string> {
  const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const command = new GetSecretValueCommand({
    SecretId: arn,
    ...(versionStage ? { VersionStage: versionStage } : {}),
    ...(versionId ? { VersionId: versionId } : {}),
  });
  const client = await aws.secretsManager();
  const call = { action: 'secretsmanager:GetSecretValue', resource: arn };
  const { SecretString } = await callAws(call, () => client.send(command));
  if (SecretString === undefined) throw new SetupError(`The secret ${arn} is binary, not text`);
  return SecretString;
}

export interface JsonSecret {
  /** False when the secret does not exist, or has no value yet. */
  exists: boolean;
  fields: Record<string, unknown>;
}

/** Reads a secret that is a JSON object or does not exist yet. Throws a SetupError without any value for other content. */
export async function readJsonSecret(aws: Pick<Aws, 'secretsManager'>, name: string): Promise<JsonSecret> {
  const text = await getSecretString(aws, { arn: name }).catch((error: unknown) => {
    if (error instanceof AwsError && error.kind === 'not_found') return undefined;
    throw error;
  });
  if (text === undefined) return { exists: false, fields: {} };
  try {
    return { exists: true, fields: parseSecretFields(text) };
  } catch (cause) {
    throw new SetupError(`Nothing was written to ${name}: ${toMessage(cause)}`, {
      hint: 'Name another secret, or make this one a JSON object.',
      cause,
    });
  }
}

/** Writes all fields of a secret, as a new version or as a new secret. Returns the ARN. */
export async function writeJsonSecret(aws: SecretsAws, name: string, { exists, fields }: JsonSecret): Promise<string> {
  const { CreateSecretCommand, PutSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const SecretString = JSON.stringify(fields);
  const client = await aws.secretsManager();
  const put = () =>
    callAws({ action: 'secretsmanager:PutSecretValue', resource: name }, () =>
      client.send(new PutSecretValueCommand({ SecretId: name, SecretString })),
    );
  const create = () =>
    callAws({ action: 'secretsmanager:CreateSecret', resource: name }, () =>
      client.send(new CreateSecretCommand({ Name: name, SecretString, Description: 'Secrets of the ReefGuide API' })),
    ).catch((error: unknown) => {
      // The secret exists without a value.
      if (error instanceof AwsError && error.code === 'ResourceExistsException') return put();
      throw error;
    });
  const { ARN = name } = await (exists ? put() : create());
  return ARN;
}
