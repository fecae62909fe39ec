import { parse } from 'dotenv';

/**
 * A variable as lines of an .env file from which both dotenv and `source` in bash read the same bytes; undefined when
 * dotenv has no way to write the value (all three quotes beside a `#`, say) or bash none (the name, a NUL).
 *
 * Where one line cannot serve both, there are two: one that bash skips as a here-document, and one that dotenv does not
 * take for an assignment.
 */
export function formatVariable(name: string, value: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || value.includes('\0') || Buffer.from(value).toString() !== value)
    return undefined;
  const shared = bothRead(value);
  if (shared !== undefined && reads(`${name}=${shared}\n`, name, value)) return `${name}=${shared}\n`;
  for (const quoted of dotenvForms(value)) {
    const lines = dual(name, `${name}=${quoted}`, value);
    if (reads(lines, name, value)) return lines;
  }
  return undefined;
}

/** Whether dotenv reads the value back, whatever quotes follow further down in the file. */
const reads = (lines: string, name: string, value: string) =>
  ["'", '"', '`'].every((quote) => {
    const next = name === 'NEXT' ? 'LAST' : 'NEXT';
    const read = parse(`${lines}${next}=${quote}\n${quote}\n`);
    return read[name] === value && read[next] === '\n' && Object.keys(read).length === 2;
  });

/** In quotes within which neither reads anything into the value; line breaks stand as they are. */
function bothRead(value: string): string | undefined {
  // To dotenv a backslash before the closing quote takes the quote into the value.
  if (!/['\r]/.test(value) && !value.endsWith('\\')) return `'${value}'`;
  return /["\\$`!\r]/.test(value) ? undefined : `"${value}"`;
}

/** dotenv takes what stands between equal quotes; within double ones `\n` and `\r` are line breaks. */
function* dotenvForms(value: string): Generator<string> {
  for (const quote of ["'", '"', '`']) yield `${quote}${value}${quote}`;
  yield `"${value.replaceAll('\r', '\\r')}"`;
  yield `"${value.replaceAll('\n', '\\n').replaceAll('\r', '\\r')}"`;
}

/** Ends the here-document, so it must not stand in the value. */
function endOf(name: string, value: string): string {
  let end = `END_OF_${name}`;
  while (value.includes(end)) end += '_';
  return end;
}

function dual(name: string, assignment: string, value: string): string {
  const bytes = [...Buffer.from(value)].map((byte) =>
    /[A-Za-z0-9 ,./:@_+-]/.test(String.fromCharCode(byte))
      ? String.fromCharCode(byte)
      : `\\${byte.toString(8).padStart(3, '0')}`,
  );
  const end = endOf(name, value);
  return `: <<'${end}'\n${assignment}\n${end}\nprintf -v ${name} '${bytes.join('')}'\n`;
}

/** The text without the assignments of `names`, values over several lines and in two forms included. */
export function removeVariables(text: string, names: ReadonlySet<string>): string {
  const assignment =
    /^: <<'(END_OF_\w+)'\n[\s\S]*?\n\1\nprintf -v (\w+) '[^'\n]*'(?:\n|$)|^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*("(?:\\.|[^"\\])*"|'[^']*'|`[^`]*`|[^\r\n]*)[^\r\n]*(?:\r?\n|$)/gm;
  return text.replaceAll(assignment, (whole, _end?: string, dualName?: string, name?: string) =>
    names.has(dualName ?? name ?? '') ? '' : whole,
  );
}
