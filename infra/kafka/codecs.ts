import * as fzstd from 'fzstd';
import kafkajs from 'kafkajs';
import lz4 from 'lz4js';
import snappy from 'snappyjs';

/**
 * kafkajs reads gzip only, and ends at the first batch that is compressed otherwise: one producer's setting would stop all counting
 * (tulios/kafkajs#1141, #597). Producers of ours do not compress.
 */
export function registerCodecs(): void {
  const { CompressionTypes, CompressionCodecs } = kafkajs;
  CompressionCodecs[CompressionTypes.Snappy] = decoder(decodeSnappy);
  CompressionCodecs[CompressionTypes.LZ4] = decoder((bytes) => lz4.decompress(bytes));
  CompressionCodecs[CompressionTypes.ZSTD] = decoder((bytes) => fzstd.decompress(bytes));
}

const decoder = (decode: (bytes: Buffer) => Uint8Array) => () => ({
  compress: () => Promise.reject(new Error('only read, never written')),
  decompress(bytes: Buffer) {
    const decoded = decode(bytes);
    const { buffer, byteOffset, byteLength } = decoded;
    return Promise.resolve(Buffer.from(buffer, byteOffset, byteLength));
  },
});

const framing = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const framingHeaderBytes = 16;

/** Java clients frame blocks in a way of their own (xerial): a header, then each block after its length. Others send one block. */
function decodeSnappy(bytes: Buffer): Uint8Array {
  if (!bytes.subarray(0, framing.length).equals(framing)) return snappy.uncompress(bytes);
  const blocks: Uint8Array[] = [];
  let at = framingHeaderBytes;
  while (at < bytes.length) {
    const length = bytes.readUInt32BE(at);
    blocks.push(snappy.uncompress(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return Buffer.concat(blocks);
}
