export const mask = '***';

/** Shorter values stay visible, because redacting `a` would make every log unreadable and guard nothing. */
const minValueCharacters = 3;
const minEncodedCharacters = 6;
/** Line lengths of `base64` and `openssl`. */
const wrapColumns = [76, 64];

const secretName =
  /PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|ENCRYPTION_?KEY|SIGNING_?KEY|_PWD$|(^|_)(KEY|AUTH|DSN)$/i;

/** Guesses from the name whether an environment variable holds a secret: `DB_PASSWORD` → true, `REGION` → false. */
export const looksSecret = (name: string): boolean => secretName.test(name);

/** Masks secret values in texts, also overlapping or encoded: `user:hunter2` → `user:***`. */
export class Redactor {
  /** Forms of the values, longest first. */
  private readonly forms: readonly string[];

  constructor(values: Iterable<string>) {
    const forms = new Set<string>();
    for (const value of values)
      if (value.trim().length >= minValueCharacters) for (const form of toPrintedForms(value)) forms.add(form);
    this.forms = [...forms].sort((a, b) => b.length - a.length);
  }

  /** Length of the longest redacted text, in characters. */
  get maxCharacters(): number {
    return this.forms[0]?.length ?? 0;
  }

  redact(text: string): string {
    const ranges = findRanges(text, this.forms);
    if (ranges.length === 0) return text;
    let result = '';
    let redactedUpTo = 0;
    for (const { from, to } of ranges) {
      if (from >= redactedUpTo) result += text.slice(redactedUpTo, from) + mask;
      redactedUpTo = Math.max(redactedUpTo, to);
    }
    return result + text.slice(redactedUpTo);
  }
}

/** Returns where `forms` occur in `text`, in order of the start. Occurrences may overlap. */
function findRanges(text: string, forms: readonly string[]): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  for (const form of forms)
    for (let from = text.indexOf(form); from !== -1; from = text.indexOf(form, from + 1))
      ranges.push({ from, to: from + form.length });
  return ranges.sort((a, b) => a.from - b.from);
}

/** Returns the printed forms of a value: plain, line by line, quoted for JSON or a URL, in base64 or hexadecimal. */
function toPrintedForms(value: string): string[] {
  const lines = value.split(/\r?\n/);
  const plain = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)];
  const bytes = Buffer.from(value);
  const encoded = [...base64Forms(bytes), bytes.toString('hex'), bytes.toString('hex').toUpperCase()];
  const wrapped = [bytes.toString('base64'), Buffer.from(`${value}\n`).toString('base64')].flatMap((text) =>
    wrapColumns.flatMap((columns) => text.match(new RegExp(`.{1,${columns}}`, 'g')) ?? []),
  );
  return [
    ...plain.filter((text) => text.trim().length >= minValueCharacters),
    ...[...lines, ...encoded, ...wrapped].filter((text) => text.length >= minEncodedCharacters),
  ];
}

/**
 * Yields the base64 of `value` for each of the three offsets, within a group of three bytes, at which `value` may begin
 * in the encoded text. Leaves out characters with bits of a neighbouring byte.
 */
function* base64Forms(value: Buffer): Generator<string> {
  for (const offset of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(offset), value]);
    const whole = padded.toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor((padded.length * 8) / 6));
    yield whole;
    yield whole.replaceAll('+', '-').replaceAll('/', '_');
  }
}
