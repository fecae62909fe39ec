import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/command/base-command.js';
import { runStep } from '../../cli/output/steps.js';
import { SetupError } from '../../contract/errors.js';

export default class KeysAws extends BaseCommand {
  static override description =
    `Generate an RSA key pair that signs access tokens, and store the pair in a Secrets Manager secret.

Creates the secret if needed, and keeps the other fields of an existing secret. With --rotate, the API accepts tokens of the
previous key too, so that users stay logged in.`;
  static override examples = ['reefguide keys aws reefguide/api', 'reefguide keys aws reefguide/api --rotate'];
  static override args = { secret: Args.string({ description: 'Name or ARN of the secret', required: true }) };
  static override flags = {
    force: Flags.boolean({ description: 'Replace existing keys', exclusive: ['rotate'] }),
    rotate: Flags.boolean({ description: 'Replace existing keys, and keep accepting tokens of the previous key' }),
  };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(KeysAws);
    const { generateKeys, readKeyToRotate, toKeyVariables } = await import('../../accounts/signing-keys.js');
    const { createAws } = await import('../../aws/clients.js');
    const { readJsonSecret, writeJsonSecret } = await import('../../aws/secrets-manager.js');
    const aws = createAws();
    const secret = await runStep(`Read the secret ${args.secret}`, () => readJsonSecret(aws, args.secret));
    const previous = flags.rotate ? readKeyToRotate(secret.fields, `The secret ${args.secret}`) : undefined;
    if (secret.fields.JWT_PRIVATE_KEY !== undefined && !flags.force && !flags.rotate)
      throw new SetupError(`The secret ${args.secret} has keys already`, {
        hint: 'Rotate the keys with --rotate (users stay logged in), or replace them with --force.',
      });
    const pair = await runStep('Generate a key pair', generateKeys);
    const fields = { ...secret.fields, ...toKeyVariables(pair, previous) };
    const arn = await runStep('Write the secret', () => writeJsonSecret(aws, args.secret, { ...secret, fields }));
    this.log(`${secret.exists ? 'Wrote' : 'Created the secret with'} the key pair ${pair.keyId}: ${arn}`);
    if (previous) this.log(`Tokens of the key ${previous.keyId} stay valid until JWT_PREVIOUS_KEY_ID is removed`);
    this.log('Restart the API (a new deployment) to use the key.');
    return { keyId: pair.keyId, previousKeyId: previous?.keyId ?? null, secret: arn };
  }
}
