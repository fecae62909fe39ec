import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base.js';

export default class KeysLocal extends BaseCommand {
  static override description =
    'Make an RSA key pair that signs access tokens, and write it with its key id into an .env file.';
  static override examples = [
    '<%= config.bin %> keys local',
    '<%= config.bin %> keys local --env-file .env.production',
  ];
  static override flags = {
    'env-file': Flags.string({ description: 'File to write to', default: '.env' }),
    force: Flags.boolean({ description: 'Replace keys that are there already' }),
  };
  static override enableJsonFlag = true;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(KeysLocal);
    const [{ generateKeys }, { setVariables }] = await Promise.all([
      import('../../auth/keys.js'),
      import('../../config/env-file.js'),
    ]);
    const { privateKey, publicKey, keyId } = await generateKeys();
    await setVariables(
      flags['env-file'],
      { JWT_PRIVATE_KEY: privateKey, JWT_PUBLIC_KEY: publicKey, JWT_KEY_ID: keyId },
      { force: flags.force },
    );
    this.log(`Wrote a key pair with the id ${keyId} into ${flags['env-file']}`);
    return { keyId, file: flags['env-file'] };
  }
}
