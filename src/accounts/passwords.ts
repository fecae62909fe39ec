import { hash, verify } from '@node-rs/argon2';

/** argon2id (the library's default) with OWASP's parameters: 19 MiB, two passes, one lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export const hashPassword = (password: string): Promise<string> => hash(password, parameters);

/** The hash of nobody's password: checking against it costs what checking against a real one does. */
let decoy: Promise<string> | undefined;

/** Whether the password is right. Takes the same time when there is no such account (`hashed` undefined). */
export async function checkPassword(hashed: string | undefined, password: string): Promise<boolean> {
  decoy ??= hashPassword(crypto.randomUUID());
  const right = await verify(hashed ?? (await decoy), password).catch(() => false);
  return right && hashed !== undefined;
}
