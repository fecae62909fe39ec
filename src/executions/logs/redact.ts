/** Replaces what must not be seen. */
export interface Redactor {
  (text: string): string;
  /** Characters of the longest text that it masks. */
  readonly longest: number;
}

export const mask = '***';

/** Shorter values would make every log unreadable, and guard nothing. */
const shortestValue = 3;
const shortestEncoded = 6;
/** Columns at which `base64` and `openssl` wrap what they print. */
const wraps = [76, 64];

const secretName =
  /PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|ENCRYPTION_?KEY|SIGNING_?KEY|_PWD$|(^|_)(KEY|AUTH|DSN)$/i;

/** Whether an environment variable looks by its name as if it holds a secret. */
export const looksSecret = (name: string): boolean => secretName.test(name);

/**
 * The characters of base64 that stand for `value` wherever it begins in what was encoded: at one of three offsets within
 * a group of three bytes. Characters that also hold bits of a neighbour are left out.
 */
function* base64Forms(value: Buffer): Generator<string> {
  for (const offset of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(offset), value])
      .toString('base64')
      .replaceAll('=', '');
    const first = Math.ceil((offset * 8) / 6);
    const last = Math.floor(((offset + value.length) * 8) / 6);
    const whole = encoded.slice(first, last);
    yield whole;
    yield whole.replaceAll('+', '-').replaceAll('/', '_');
  }
}

/** What a value is printed as: itself, line by line, quoted in JSON or a URL, in base64 or hexadecimal, also wrapped. */
function formsOf(value: string): string[] {
  const lines = value.split(/\r?\n/);
  const plain = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)];
  const bytes = Buffer.from(value);
  const encoded = [...base64Forms(bytes), bytes.toString('hex'), bytes.toString('hex').toUpperCase()];
  const wrapped = [bytes.toString('base64'), Buffer.from(`${value}\n`).toString('base64')].flatMap((text) =>
    wraps.flatMap((columns) => text.match(new RegExp(`.{1,${columns}}`, 'g')) ?? []),
  );
  return [
    ...plain.filter((text) => text.trim().length >= shortestValue),
    ...[...lines, ...encoded, ...wrapped].filter((text) => text.length >= shortestEncoded),
  ];
}

/** Masks the values wherever they stand in a text, also overlapping or encoded. */
export function createRedactor(values: Iterable<string>): Redactor {
  const forms = new Set<string>();
  for (const value of values)
    if (value.trim().length >= shortestValue) for (const form of formsOf(value)) forms.add(form);
  const needles = [...forms].sort((a, b) => b.length - a.length);
  const redact = (text: string) => replaceAll(text, needles);
  return Object.assign(redact, { longest: needles[0]?.length ?? 0 });
}

function replaceAll(text: string, needles: readonly string[]): string {
  const found: { from: number; to: number }[] = [];
  for (const needle of needles) {
    // From the next character on, not from behind: two that overlap are both hidden whole.
    for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1))
      found.push({ from: at, to: at + needle.length });
  }
  if (found.length === 0) return text;
  found.sort((a, b) => a.from - b.from);
  let result = '';
  let hidden = 0;
  for (const { from, to } of found) {
    if (from >= hidden) result += text.slice(hidden, from) + mask;
    hidden = Math.max(hidden, to);
  }
  return result + text.slice(hidden);
}
