import type { Execution } from '../../contract/executions.js';
import type { ImageInfo } from '../../contract/images.js';
import { colorStatus } from './colors.js';
import { formatAge, formatDuration, formatTable } from './format.js';

/** Returns the first line of `text`, cut at `maxLength`: `make a\nmake b` → `make a…`. */
export function abbreviate(text: string, maxLength = 48): string {
  const [first = '', ...more] = text.trim().split('\n');
  return first.length > maxLength || more.length > 0 ? `${[...first].slice(0, maxLength - 1).join('')}…` : first;
}

export const formatExecutions = (executions: readonly Execution[], nowMs: number): string =>
  formatTable(
    ['ID', 'STATUS', 'EXIT', 'STARTED', 'TOOK', 'BY', 'IMAGE', 'COMMAND'],
    executions.map((execution) => [
      execution.execution_id,
      colorStatus(execution.status),
      execution.exit_code ?? '',
      formatAge(execution.started_at, nowMs),
      execution.duration_seconds === null ? '' : formatDuration(execution.duration_seconds),
      execution.created_by ?? '',
      execution.image_id,
      abbreviate(execution.command),
    ]),
  );

export const formatImages = (images: readonly ImageInfo[], nowMs: number): string =>
  formatTable(
    ['IMAGE', '', 'CPU', 'MEMORY', 'PLATFORM', 'CHANGED'],
    images.map((image) => [
      image.image,
      image.is_default ? 'default' : '',
      image.cpu,
      `${image.memory} MiB`,
      image.runtime_platform,
      formatAge(image.updated_at, nowMs),
    ]),
  );
