import { hash, verify } from '@node-rs/argon2';

/** Parameters of argon2id (the library's default variant) by OWASP's recommendation: 19 MiB, two passes, one lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export const hashPassword = (password: string): Promise<string> => hash(password, parameters);

/** Hash of a random password. A login of an unknown account compares with the dummy hash, to take as long as others. */
let dummyHash: Promise<string> | undefined;

/** Verifies a password. Takes the same time when no account exists (`passwordHash` undefined) and then returns false. */
export async function checkPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  dummyHash ??= hashPassword(crypto.randomUUID());
  const isRight = await verify(passwordHash ?? (await dummyHash), password).catch(() => false);
  return isRight && passwordHash !== undefined;
}
