/**
 * Joins commands so that the shell stops at the first failure: `a`, `b` → `a && b`. Puts commands that would not stay
 * together (several lines, `;`, `||`, `&`, a comment) in braces: `a; b`, `c` → `{ a; b\n} && c`.
 */
export function joinCommands(commands: readonly string[]): string {
  const [first] = commands;
  if (commands.length === 1 && first !== undefined) return first;
  return commands.map((command) => (needsBraces(command) ? `{ ${command}\n}` : command)).join(' && ');
}

/** Ignores `&&` and redirections such as `2>&1`. */
const needsBraces = (command: string) => /[\n;#&]|\|\|/.test(command.replaceAll(/&&|[<>]&|&>/g, ''));
