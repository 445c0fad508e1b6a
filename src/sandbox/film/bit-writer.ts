/** Writes bits, the highest of each byte first. */
export interface BitWriter {
  bits(value: number, count: number): void;
  /** Exp-Golomb, for numbers from 0. ITU-T H.264 §9.1 */
  ue(value: number): void;
  /** Zero bits until a byte is full. */
  align(): void;
  /** Whole bytes; the writer must be at a byte's edge. */
  bytes(bytes: Uint8Array): void;
  /** What was written, closed as the standard wants it: a one, then zeros. */
  end(): Buffer;
}

export function createBitWriter(): BitWriter {
  let out = Buffer.alloc(1024);
  let length = 0;
  let open = 0;
  let filled = 0;
  const room = (more: number): void => {
    if (length + more <= out.length) return;
    const larger = Buffer.alloc(Math.max(out.length * 2, length + more));
    out.copy(larger, 0, 0, length);
    out = larger;
  };
  const bits = (value: number, count: number): void => {
    for (let at = count - 1; at >= 0; at--) {
      open = (open << 1) | ((value >>> at) & 1);
      if (++filled < 8) continue;
      room(1);
      out[length++] = open;
      open = filled = 0;
    }
  };
  const align = (): void => {
    bits(0, (8 - filled) % 8);
  };
  return {
    bits,
    align,
    ue(value) {
      const width = 32 - Math.clz32(value + 1);
      bits(0, width - 1);
      bits(value + 1, width);
    },
    bytes(bytes) {
      room(bytes.length);
      out.set(bytes, length);
      length += bytes.length;
    },
    end() {
      bits(1, 1);
      align();
      return out.subarray(0, length);
    },
  };
}
