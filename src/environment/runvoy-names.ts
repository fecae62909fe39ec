import { z } from 'zod';
import { parseDuration } from '../platform/duration.js';
import { logLevels } from '../platform/log-levels.js';

/** Converts a duration of Go, or seconds: `1m30s` → 90, `500ms` → 0.5, `30` → 30; undefined for e.g. `1 minute`. */
function toSeconds(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const ms = /^[\d.hms]+$/.test(text) ? parseDuration(text) : undefined;
  return ms === undefined ? undefined : ms / 1000;
}

/** Adds the scheme of WebSockets, e.g. `api.example.org/live` → `wss://api.example.org/live`. */
const toSocketAddress = (text: string) => (/^\w+:\/\//.test(text) ? text.replace(/^http/, 'ws') : `wss://${text}`);

/** Our names for variables of runvoy. `convert` returns the value for our schema, or undefined for an invalid value. */
const renamed: Record<string, { name: string; convert(text: string): string | undefined }> = {
  RUNVOY_LOG_LEVEL: { name: 'LOG_LEVEL', convert: (text) => logLevels.find((level) => level === text.toLowerCase()) },
  RUNVOY_WEBSOCKET_API_ENDPOINT: { name: 'WEBSOCKET_API_ENDPOINT', convert: toSocketAddress },
  RUNVOY_REQUEST_TIMEOUT: { name: 'REQUEST_TIMEOUT_SECONDS', convert: (text) => toSeconds(text.trim())?.toString() },
};

/** Variables of runvoy after `renameRunvoyVariables`, which leaves only invalid values under these names. */
export const runvoyVariables = z.object({
  RUNVOY_LOG_LEVEL: z.never({ error: `expected one of ${logLevels.join(', ')}` }).optional(),
  RUNVOY_REQUEST_TIMEOUT: z.never({ error: 'expected a duration such as 90s or 1m30s' }).optional(),
  RUNVOY_EXECUTIONS_TABLE: z.string().optional(),
  RUNVOY_WEBSOCKET_CONNECTIONS_TABLE: z.string().optional(),
});

/** Variables that name tables of runvoy, which ReefGuide does not use. */
export const runvoyTableVariables = ['RUNVOY_EXECUTIONS_TABLE', 'RUNVOY_WEBSOCKET_CONNECTIONS_TABLE'] as const;

/** Moves variables of runvoy to our names. A variable that is set under our name keeps its value. */
export function renameRunvoyVariables(env: unknown): unknown {
  if (typeof env !== 'object' || env === null) return env;
  const variables: Record<string, unknown> = { ...env };
  for (const [runvoyName, { name, convert }] of Object.entries(renamed)) {
    const text = variables[runvoyName];
    if (typeof text !== 'string') continue;
    const value = variables[name] ?? convert(text);
    if (value === undefined) continue;
    variables[name] = value;
    delete variables[runvoyName];
  }
  return variables;
}
