import type { Execution } from '../../contract/executions.js';
import type { ImageInfo } from '../../contract/images.js';
import { ago, duration } from './format.js';
import { table } from './table.js';

/** The first line, cut where it is long. */
export function brief(text: string, most = 48): string {
  const [first = '', ...more] = text.trim().split('\n');
  return first.length > most || more.length > 0 ? `${[...first].slice(0, most - 1).join('')}…` : first;
}

export const executionTable = (executions: readonly Execution[], now: number): string =>
  table(
    ['ID', 'STATUS', 'EXIT', 'STARTED', 'TOOK', 'BY', 'IMAGE', 'COMMAND'],
    executions.map((one) => [
      one.execution_id,
      one.status,
      one.exit_code ?? '',
      ago(one.started_at, now),
      one.duration_seconds === null ? '' : duration(one.duration_seconds),
      one.created_by ?? '',
      one.image_id,
      brief(one.command),
    ]),
  );

export const imageTable = (images: readonly ImageInfo[], now: number): string =>
  table(
    ['IMAGE', '', 'CPU', 'MEMORY', 'PLATFORM', 'CHANGED'],
    images.map((one) => [
      one.image,
      one.is_default ? 'default' : '',
      one.cpu,
      `${one.memory} MiB`,
      one.runtime_platform,
      ago(one.updated_at, now),
    ]),
  );
