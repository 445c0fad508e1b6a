/*
 * One track of H.264 in an MP4 file, its head before its frames, so that players begin at once. Sections are those of
 * ISO/IEC 14496-12, `avcC` of 14496-15 §5.3.3.
 */

/** A film, encoded. */
export interface Track {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  readonly sequenceSet: Buffer;
  readonly pictureSet: Buffer;
  /** One NAL unit each; the first stands alone, the others need those before them. */
  readonly frames: readonly Buffer[];
}

type Field = Buffer | string | readonly [value: number, bytes: number];

const field = (one: Field): Buffer => {
  if (typeof one === 'string') return Buffer.from(one, 'latin1');
  if (Buffer.isBuffer(one)) return one;
  const [value, bytes] = one as readonly [number, number];
  const out = Buffer.alloc(bytes);
  // Only zeros are longer than a number.
  if (bytes <= 6) out.writeUIntBE(value, 0, bytes);
  return out;
};

function box(type: string, ...fields: readonly Field[]): Buffer {
  const body = Buffer.concat(fields.map(field));
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length, 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

const u32 = (value: number): Field => [value, 4];
const u16 = (value: number): Field => [value, 2];
/** Version 0, no flags. */
const PLAIN = u32(0);
const zeros = (bytes: number): Field => [0, bytes];

/** Units of time in a second. */
const SCALE = 1000;
/** No turning, no scaling. */
const MATRIX = Buffer.concat([0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000].map((value) => field(u32(value))));

function sampleEntry({ width, height, sequenceSet, pictureSet }: Track): Buffer {
  const config = box(
    'avcC',
    [1, 1],
    sequenceSet.subarray(1, 4),
    // Lengths of four bytes; one set of each kind.
    [0xff, 1],
    [0xe1, 1],
    u16(sequenceSet.length),
    sequenceSet,
    [1, 1],
    u16(pictureSet.length),
    pictureSet,
  );
  const size: readonly Field[] = [u16(width), u16(height), u32(0x0048_0000), u32(0x0048_0000)];
  return box('avc1', zeros(6), u16(1), zeros(16), ...size, zeros(4), u16(1), zeros(32), u16(24), u16(0xffff), config);
}

function sampleTable(track: Track, dataAt: number): Buffer {
  const { frames, framesPerSecond } = track;
  return box(
    'stbl',
    box('stsd', PLAIN, u32(1), sampleEntry(track)),
    box('stts', PLAIN, u32(1), u32(frames.length), u32(SCALE / framesPerSecond)),
    box('stss', PLAIN, u32(1), u32(1)),
    box('stsc', PLAIN, u32(1), u32(1), u32(frames.length), u32(1)),
    box('stsz', PLAIN, u32(0), u32(frames.length), ...frames.map((frame) => u32(frame.length + 4))),
    box('stco', PLAIN, u32(1), u32(dataAt)),
  );
}

function movie(track: Track, dataAt: number): Buffer {
  const { frames, framesPerSecond, width, height } = track;
  const length = u32((frames.length * SCALE) / framesPerSecond);
  const media = box(
    'mdia',
    box('mdhd', PLAIN, zeros(8), u32(SCALE), length, u16(0x55c4), u16(0)),
    box('hdlr', PLAIN, u32(0), 'vide', zeros(12), 'Pailou sandbox\0'),
    box('minf', box('vmhd', u32(1), zeros(8)), box('dinf', box('dref', PLAIN, u32(1), box('url ', u32(1)))), sampleTable(track, dataAt)),
  );
  const trackHead = box('tkhd', u32(3), zeros(8), u32(1), zeros(4), length, zeros(16), MATRIX, u32(width * 65_536), u32(height * 65_536));
  const head = box('mvhd', PLAIN, zeros(8), u32(SCALE), length, u32(0x0001_0000), u16(0x0100), zeros(10), MATRIX, zeros(24), u32(2));
  return box('moov', head, box('trak', trackHead, media));
}

/** Writes a film. */
export function encodeMp4(track: Track): Buffer {
  const kind = box('ftyp', 'isom', u32(0x200), 'isomiso2avc1mp41');
  // The head's length does not hang on where the frames begin.
  const dataAt = kind.length + movie(track, 0).length + 8;
  const data = box('mdat', ...track.frames.flatMap((frame): Field[] => [u32(frame.length), frame]));
  return Buffer.concat([kind, movie(track, dataAt), data]);
}
