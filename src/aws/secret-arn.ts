import { SetupError } from '../contract/errors.js';

export interface SecretReference {
  /** ARN of the secret, without the parts after the name. */
  arn: string;
  /** A field of the JSON object in the secret; undefined: the whole string. */
  jsonKey: string | undefined;
  versionStage: string | undefined;
  versionId: string | undefined;
}

/** Parses `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME:key:stage:version`; the last three parts are optional. */
export function parseSecretReference(valueFrom: string): SecretReference {
  const [arn, partition, service, region, account, kind, name, jsonKey, versionStage, versionId, ...rest] =
    valueFrom.split(':');
  const isSecret = arn === 'arn' && service === 'secretsmanager' && kind === 'secret';
  if (!isSecret || !partition || !region || !account || !name || rest.length > 0)
    throw new SetupError(`not a reference to a Secrets Manager secret: ${valueFrom}`);
  return {
    arn: [arn, partition, service, region, account, kind, name].join(':'),
    jsonKey: jsonKey || undefined,
    versionStage: versionStage || undefined,
    versionId: versionId || undefined,
  };
}

/** Returns the string of a secret, or the field `jsonKey` of its JSON object. Errors show no part of the secret. */
export function toSecretValue(secretString: string, jsonKey: string | undefined): string {
  if (jsonKey === undefined) return secretString;
  const fields = parseSecretFields(secretString);
  const value = Object.hasOwn(fields, jsonKey) ? fields[jsonKey] : undefined;
  if (value === undefined || value === null) throw new SetupError(`the secret has no field ${jsonKey}`);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Parses a secret as a JSON object. Throws a SetupError without any part of the secret for different content. */
export function parseSecretFields(secretString: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = JSON.parse(secretString);
  } catch {
    throw new SetupError('the secret is not JSON');
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new SetupError('the secret is not a JSON object');
  return { ...content };
}
