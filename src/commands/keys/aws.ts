import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/command/base-command.js';
import { SetupError } from '../../contract/errors.js';

export default class KeysAws extends BaseCommand {
  static override description = `Make an RSA key pair that signs access tokens, and keep it in a Secrets Manager secret.

The secret is made if there is none; otherwise its other fields stay as they are. With --rotate the public key that was
there stays accepted, so that nobody is logged out.`;
  static override examples = [
    '<%= config.bin %> keys aws reefguide/api',
    '<%= config.bin %> keys aws reefguide/api --rotate',
  ];
  static override args = { secret: Args.string({ description: 'Name or ARN of the secret', required: true }) };
  static override flags = {
    force: Flags.boolean({ description: 'Replace keys that are there already', exclusive: ['rotate'] }),
    rotate: Flags.boolean({ description: 'Replace the keys, and keep accepting what the old ones signed' }),
  };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(KeysAws);
    const [{ generateKeys, readKeyToRotate, toKeyVariables }, { createAws }, { openSecret }] = await Promise.all([
      import('../../accounts/signing-keys.js'),
      import('../../aws/clients.js'),
      import('../../aws/secrets-manager.js'),
    ]);
    const secret = await openSecret(createAws(), args.secret);
    const previous = flags.rotate ? readKeyToRotate(secret.fields, `The secret ${args.secret}`) : undefined;
    if (secret.fields.JWT_PRIVATE_KEY !== undefined && !flags.force && !flags.rotate) {
      throw new SetupError(`The secret ${args.secret} holds keys already`, {
        hint: 'Rotate them with --rotate (nobody is logged out), or replace them with --force.',
      });
    }
    const pair = await generateKeys();
    const { arn } = await secret.save({ ...secret.fields, ...toKeyVariables(pair, previous) });
    this.log(`${secret.exists ? 'Wrote' : 'Made the secret, and wrote'} a key pair with the id ${pair.keyId}: ${arn}`);
    if (previous) this.log(`Tokens of the key ${previous.keyId} stay good until JWT_PREVIOUS_KEY_ID is removed`);
    this.log('The API reads it when it starts: restart it (a new deployment) to use the key.');
    return { keyId: pair.keyId, previousKeyId: previous?.keyId ?? null, secret: arn };
  }
}
