/** `30s`, `1m`, `500ms`, or a number of seconds, as Go writes durations; undefined for another text. */
export function goSeconds(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  if (!match) return undefined;
  const seconds = { ms: 0.001, s: 1, m: 60, h: 3600 }[match[2] ?? 's'] ?? 1;
  return Number(match[1]) * seconds;
}

const socketAddress = (text: string) => (/^\w+:\/\//.test(text) ? text.replace(/^http/, 'ws') : `wss://${text}`);

/** Our names for variables of the older server, and how their values read with us. */
const renamed: Record<string, { name: string; value(text: string): string }> = {
  RUNVOY_LOG_LEVEL: { name: 'LOG_LEVEL', value: (text) => text.toLowerCase() },
  RUNVOY_WEBSOCKET_API_ENDPOINT: { name: 'WEBSOCKET_API_ENDPOINT', value: socketAddress },
  RUNVOY_REQUEST_TIMEOUT: {
    name: 'REQUEST_TIMEOUT_SECONDS',
    value: (text) => String(goSeconds(text) ?? text),
  },
};

/** Tables of the older server. */
export const tableVariables = ['RUNVOY_EXECUTIONS_TABLE', 'RUNVOY_WEBSOCKET_CONNECTIONS_TABLE'] as const;

/** The environment with the older server's variables under our names; what is set under ours counts. */
export function withOlderNames(env: unknown): unknown {
  if (typeof env !== 'object' || env === null) return env;
  const added = Object.entries(renamed).flatMap(([older, { name, value }]) => {
    const given: unknown = Reflect.get(env, older);
    return typeof given === 'string' && Reflect.get(env, name) === undefined ? [[name, value(given)]] : [];
  });
  return { ...env, ...Object.fromEntries(added) };
}
