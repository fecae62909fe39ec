import { SetupError } from '../contract/errors.js';

/** Where a task definition's secret comes from. */
export interface SecretReference {
  /** ARN of the secret, without what follows its name. */
  arn: string;
  /** A field of the JSON object that the secret is; undefined: the whole string. */
  jsonKey: string | undefined;
  versionStage: string | undefined;
  versionId: string | undefined;
}

/**
 * Reads `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX:json-key:version-stage:version-id`, the last three
 * optional. Throws a SetupError for anything else.
 */
export function parseSecretReference(valueFrom: string): SecretReference {
  const [arn, partition, service, region, account, kind, name, jsonKey, versionStage, versionId, ...more] =
    valueFrom.split(':');
  const isSecret = arn === 'arn' && service === 'secretsmanager' && kind === 'secret';
  if (!isSecret || !partition || !region || !account || !name || more.length > 0) {
    throw new SetupError(`not a reference to a Secrets Manager secret: ${valueFrom}`);
  }
  return {
    arn: [arn, partition, service, region, account, kind, name].join(':'),
    jsonKey: jsonKey || undefined,
    versionStage: versionStage || undefined,
    versionId: versionId || undefined,
  };
}

/** The value that the reference means, out of the secret's string. Its errors never show any of it. */
export function secretValue(secretString: string, jsonKey: string | undefined): string {
  if (jsonKey === undefined) return secretString;
  const fields = secretFields(secretString);
  const value = Object.hasOwn(fields, jsonKey) ? fields[jsonKey] : undefined;
  if (value === undefined || value === null) throw new SetupError(`the secret has no field ${jsonKey}`);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The JSON object that a secret's string is; anything else is a SetupError that shows none of it. */
export function secretFields(secretString: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = JSON.parse(secretString);
  } catch {
    throw new SetupError('the secret is not JSON');
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new SetupError('the secret is not a JSON object');
  }
  return { ...content };
}
