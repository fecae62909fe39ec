import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/command/base-command.js';
import { readVariables, setVariables } from '../../environment/env-file.js';

export default class KeysLocal extends BaseCommand {
  static override description =
    `Generate an RSA key pair that signs access tokens, and write the pair and its key id into an .env file.

With --rotate, the API accepts tokens of the previous key too, so that users stay logged in. Remove the two variables
JWT_PREVIOUS_… when those tokens have expired.`;
  static override examples = [
    'reefguide keys local',
    'reefguide keys local --env-file .env.production',
    'reefguide keys local --rotate',
  ];
  static override flags = {
    'env-file': Flags.string({ description: 'File to write to', default: '.env' }),
    force: Flags.boolean({ description: 'Replace existing keys', exclusive: ['rotate'] }),
    rotate: Flags.boolean({ description: 'Replace existing keys, and keep accepting tokens of the previous key' }),
  };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(KeysLocal);
    const { generateKeys, readKeyToRotate, toKeyVariables } = await import('../../accounts/signing-keys.js');
    const file = flags['env-file'];
    const previous = flags.rotate ? readKeyToRotate(await readVariables(file), file) : undefined;
    const pair = await generateKeys();
    await setVariables(file, toKeyVariables(pair, previous), { force: flags.force || flags.rotate });
    this.log(`Wrote the key pair ${pair.keyId} into ${file}`);
    if (previous) this.log(`Tokens of the key ${previous.keyId} stay valid until JWT_PREVIOUS_KEY_ID is removed`);
    return { keyId: pair.keyId, previousKeyId: previous?.keyId ?? null, file };
  }
}
