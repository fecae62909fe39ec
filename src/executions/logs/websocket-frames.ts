/**
 * Encodes text messages as WebSocket frames of a server: final, unmasked, without gaps (RFC 6455, section 5.2).
 * For example, `hi` → `81 02 68 69`. Each subscriber of an execution receives the same bytes with one write.
 */
export function encodeMessages(messages: readonly string[]): Buffer {
  const lengths = messages.map((message) => Buffer.byteLength(message));
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + headerBytes(length) + length, 0));
  let offset = 0;
  for (const [n, message] of messages.entries()) {
    const length = lengths[n] ?? 0;
    bytes[offset] = finalTextFrame;
    bytes[offset + 1] = length < 126 ? length : length < 65_536 ? 126 : 127;
    if (headerBytes(length) === 4) bytes.writeUInt16BE(length, offset + 2);
    if (headerBytes(length) === 10) bytes.writeBigUInt64BE(BigInt(length), offset + 2);
    offset += headerBytes(length);
    offset += bytes.write(message, offset);
  }
  return bytes;
}

const finalTextFrame = 0x81;

const headerBytes = (length: number) => (length < 126 ? 2 : length < 65_536 ? 4 : 10);
