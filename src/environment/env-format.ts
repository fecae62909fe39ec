import { parse } from 'dotenv';

/**
 * Formats a variable as lines of an .env file from which dotenv and `source` in bash read the same bytes, for example
 * `A`, `it's` → `A="it's"`. Returns undefined for a value that dotenv cannot represent (all three quotes beside a `#`) or
 * bash cannot (a NUL).
 * Where no line suits both, returns a here-document for dotenv, which bash skips, and a `printf` for bash, which dotenv
 * skips.
 */
export function formatVariable(name: string, value: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || value.includes('\0') || Buffer.from(value).toString() !== value)
    return undefined;
  const shared = toSharedQuotes(value);
  if (shared !== undefined && canReadBack(`${name}=${shared}\n`, name, value)) return `${name}=${shared}\n`;
  for (const quoted of listDotenvForms(value)) {
    const lines = toDualLines(name, `${name}=${quoted}`, value);
    if (canReadBack(lines, name, value)) return lines;
  }
  return undefined;
}

/** Returns whether dotenv reads the value back, also when other quotes follow in the file. */
const canReadBack = (lines: string, name: string, value: string) =>
  ["'", '"', '`'].every((quote) => {
    const next = name === 'NEXT' ? 'LAST' : 'NEXT';
    const read = parse(`${lines}${next}=${quote}\n${quote}\n`);
    return read[name] === value && read[next] === '\n' && Object.keys(read).length === 2;
  });

/** Quotes a value so that neither dotenv nor bash expands anything; undefined for none. Keeps line breaks. */
function toSharedQuotes(value: string): string | undefined {
  // dotenv takes a backslash and the closing quote after it for part of the value.
  if (!/['\r]/.test(value) && !value.endsWith('\\')) return `'${value}'`;
  return /["\\$`!\r]/.test(value) ? undefined : `"${value}"`;
}

/** Lists the forms of a value for dotenv, which expands `\n` and `\r` in double quotes alone. */
function* listDotenvForms(value: string): Generator<string> {
  for (const quote of ["'", '"', '`']) yield `${quote}${value}${quote}`;
  yield `"${value.replaceAll('\r', '\\r')}"`;
  yield `"${value.replaceAll('\n', '\\n').replaceAll('\r', '\\r')}"`;
}

function toDualLines(name: string, assignment: string, value: string): string {
  const bytes = [...Buffer.from(value)].map((byte) =>
    /[A-Za-z0-9 ,./:@_+-]/.test(String.fromCharCode(byte))
      ? String.fromCharCode(byte)
      : `\\${byte.toString(8).padStart(3, '0')}`,
  );
  let end = `END_OF_${name}`;
  while (value.includes(end)) end += '_';
  return `: <<'${end}'\n${assignment}\n${end}\nprintf -v ${name} '${bytes.join('')}'\n`;
}

/** Removes the assignments of `names` from a text, including values over several lines and the dual form. */
export function removeVariables(text: string, names: ReadonlySet<string>): string {
  const assignment =
    /^: <<'(END_OF_\w+)'\n[\s\S]*?\n\1\nprintf -v (\w+) '[^'\n]*'(?:\n|$)|^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*("(?:\\.|[^"\\])*"|'[^']*'|`[^`]*`|[^\r\n]*)[^\r\n]*(?:\r?\n|$)/gm;
  return text.replaceAll(assignment, (match, _end?: string, dualName?: string, name?: string) =>
    names.has(dualName ?? name ?? '') ? '' : match,
  );
}
