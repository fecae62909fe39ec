import { SetupError } from '../contract/errors.js';
import type { Aws } from './clients.js';
import { AwsError, callAws } from './errors.js';
import { type SecretReference, secretFields } from './secret-arn.js';

export type SecretVersion = Pick<SecretReference, 'arn'> & Partial<Omit<SecretReference, 'arn' | 'jsonKey'>>;

/** Reads the strings of secrets: each version once, however often it is asked for, and all at the same time. */
export function createSecretReader(aws: Pick<Aws, 'secretsManager'>): (secret: SecretVersion) => Promise<string> {
  const read = new Map<string, Promise<string>>();

  const ask = async ({ arn, versionStage, versionId }: SecretVersion): Promise<string> => {
    const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
    const command = new GetSecretValueCommand({
      SecretId: arn,
      ...(versionStage ? { VersionStage: versionStage } : {}),
      ...(versionId ? { VersionId: versionId } : {}),
    });
    const { SecretString } = await callAws({ action: 'secretsmanager:GetSecretValue', resource: arn }, async () =>
      (await aws.secretsManager()).send(command),
    );
    if (SecretString === undefined) throw new SetupError(`The secret ${arn} is binary, not text`);
    return SecretString;
  };

  return (secret) => {
    const key = [secret.arn, secret.versionStage, secret.versionId].join(' ');
    const there = read.get(key) ?? ask(secret);
    read.set(key, there);
    return there;
  };
}

export interface OpenSecret {
  exists: boolean;
  fields: Record<string, unknown>;
  /** Writes all fields: as a new version of the secret, or as a new secret. */
  save(fields: Record<string, unknown>): Promise<{ arn: string }>;
}

/** A secret that is a JSON object, or is yet to be made; anything else in it is refused and not shown. */
export async function openSecret(aws: Pick<Aws, 'secretsManager'>, name: string): Promise<OpenSecret> {
  const { CreateSecretCommand, PutSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const text = await createSecretReader(aws)({ arn: name }).catch((error: unknown) => {
    if (error instanceof AwsError && error.kind === 'not_found') return undefined;
    throw error;
  });
  const exists = text !== undefined;
  let fields: Record<string, unknown> = {};
  try {
    if (exists) fields = secretFields(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'it is not readable';
    throw new SetupError(`Nothing was written to ${name}: ${reason}`, {
      hint: 'Name another secret, or make this one a JSON object.',
      cause,
    });
  }
  return {
    exists,
    fields,
    async save(content) {
      const SecretString = JSON.stringify(content);
      const client = await aws.secretsManager();
      const put = () =>
        callAws({ action: 'secretsmanager:PutSecretValue', resource: name }, () =>
          client.send(new PutSecretValueCommand({ SecretId: name, SecretString })),
        );
      const create = () =>
        callAws({ action: 'secretsmanager:CreateSecret', resource: name }, () =>
          client.send(
            new CreateSecretCommand({ Name: name, SecretString, Description: 'Secrets of the ReefGuide API' }),
          ),
        ).catch((error: unknown) => {
          // There is one, only without a value.
          if (error instanceof AwsError && error.code === 'ResourceExistsException') return put();
          throw error;
        });
      const { ARN = name } = await (exists ? put() : create());
      return { arn: ARN };
    },
  };
}
