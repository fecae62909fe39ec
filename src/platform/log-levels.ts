const names = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' } as const;
const namesByLevel = new Map<string, string>(Object.entries(names));

/** Values of LOG_LEVEL, from the most to the least talkative. */
export const logLevels = [...Object.values(names), 'silent'] as const;

/** Returns the name of a numeric level of pino, for example `30` → `info`; an unknown level becomes text. */
export const toLevelName = (level: unknown): string => namesByLevel.get(String(level)) ?? String(level);
