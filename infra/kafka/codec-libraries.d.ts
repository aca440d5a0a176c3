declare module 'lz4js' {
  /** One frame; returns the whole of what was compressed. */
  export function decompress(frame: Uint8Array): Uint8Array;
}
declare module 'snappyjs' {
  /** One raw block. */
  export function uncompress(block: Uint8Array): Uint8Array;
}
