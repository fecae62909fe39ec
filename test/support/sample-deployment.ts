import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const sample = readFileSync(fileURLToPath(new URL('../../configs/sample.json', import.meta.url)), 'utf8');

/**
 * Returns the text of configs/sample.json with other values at some paths; `undefined` removes the field. For example
 * `sampleWith({ 'webAPI.port': 80, db: undefined })`.
 */
export function sampleWith(changes: Record<string, unknown> = {}): string {
  const deployment: unknown = JSON.parse(sample);
  for (const [field, value] of Object.entries(changes)) {
    const steps = field.split('.');
    const last = steps.pop() ?? '';
    let parent = deployment;
    for (const step of steps) parent = Reflect.get(Object(parent), step);
    Reflect.set(Object(parent), last, value);
  }
  return JSON.stringify(deployment);
}
