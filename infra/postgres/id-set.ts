const pageBits = 1 << 18;

/** Which event ids were met, at a bit each: a chain of ten million takes two megabytes. */
export function createIdSet(): { addNew(id: number): boolean } {
  const pages = new Map<number, Uint8Array>();
  return {
    /** False when it was there already. */
    addNew(id) {
      const pageNumber = Math.floor(id / pageBits);
      const page = pages.get(pageNumber) ?? new Uint8Array(pageBits / 8);
      pages.set(pageNumber, page);
      const bit = id - pageNumber * pageBits;
      const [byte, mask] = [bit >> 3, 1 << (bit & 7)];
      const before = page[byte] ?? 0;
      page[byte] = before | mask;
      return (before & mask) === 0;
    },
  };
}
