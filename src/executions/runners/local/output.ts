import { Transform, type TransformCallback } from 'node:stream';
import { toNoteLine } from '../../logs/note.js';

const lineFeed = 10;

/** Output of a command. Adds notes at the end, each on a separate line, also after an unfinished line. */
export class CommandOutput extends Transform {
  private readonly notes: string[] = [];
  private lastByte = lineFeed;

  constructor() {
    super({ highWaterMark: 262_144 });
  }

  addNote(text: string): void {
    this.notes.push(text);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.lastByte = chunk.at(-1) ?? this.lastByte;
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    const text = this.notes.map((note) => `${toNoteLine(note)}\n`).join('');
    done(null, text === '' || this.lastByte === lineFeed ? text : `\n${text}`);
  }
}
