import type { LogMessage } from '../../contract/executions.js';
import type { StoredEvent } from './store.js';

/** Events after position `after` up to position `last`, encoded once for all subscribers. */
export interface Chunk {
  after: number;
  last: number;
  bytes: Buffer;
}

/** Bounds of the tail of one execution. Slower subscribers read from the database. */
export const maxTailChunks = 500;
export const maxTailBytes = 262_144;
/** Limit of a chunk with several events, because subscribers are asked for room between chunks only. */
const maxChunkCharacters = 65_536;

/** Cuts the events after `start` into chunks, each encoded by `encode`. */
export function chunkEvents(
  events: readonly StoredEvent[],
  start: number,
  encode: (messages: readonly string[]) => Buffer,
): Chunk[] {
  const chunks: Chunk[] = [];
  let after = start;
  let last = start;
  let messages: string[] = [];
  let characters = 0;
  const finishChunk = () => {
    if (messages.length > 0) chunks.push({ after, last, bytes: encode(messages) });
    after = last;
    messages = [];
    characters = 0;
  };
  for (const { position, ...event } of events) {
    const message = JSON.stringify({ type: 'log', ...event } satisfies LogMessage);
    if (characters + message.length > maxChunkCharacters) finishChunk();
    messages.push(message);
    characters += message.length;
    last = position;
  }
  finishChunk();
  return chunks;
}

/** Newest chunks of an execution, bounded in number and bytes, without gaps from `start` to `end`. */
export class LogTail {
  private readonly chunks: Chunk[] = [];
  private bytes = 0;
  /** Position of the newest event. */
  end: number;

  /** Makes an empty tail from `start` on. */
  constructor(private start: number) {
    this.end = start;
  }

  /** Adds chunks after `end`, and drops the oldest beyond the bounds. */
  add(chunks: readonly Chunk[]): void {
    for (const chunk of chunks) {
      this.chunks.push(chunk);
      this.bytes += chunk.bytes.length;
      this.end = chunk.last;
    }
    while (this.chunks.length > maxTailChunks || this.bytes > maxTailBytes) {
      const oldest = this.chunks.shift();
      if (!oldest) break;
      this.bytes -= oldest.bytes.length;
      this.start = oldest.last;
    }
  }

  /** Returns the chunks after a position, or undefined when no chunk begins exactly there. */
  readAfter(position: number): Chunk[] | undefined {
    if (position < this.start) return undefined;
    const index = this.findIndexFrom(position);
    return this.chunks[index]?.after === position ? this.chunks.slice(index) : undefined;
  }

  /** Returns the index of the first chunk from `position` on, by binary search. */
  private findIndexFrom(position: number): number {
    let low = 0;
    let high = this.chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.chunks[middle]?.after ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
