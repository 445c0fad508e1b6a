import { GatewayError, gatewayFault } from '../ir/index.ts';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { KeptMedia, MediaStore } from '../exchange/ports.ts';

/** What is known of kept media. Written before the bytes are, so that a process that is killed leaves nothing that nobody knows of. */
export interface MediaIndex {
  /** It is being written: not found yet. */
  begin(media: Omit<KeptMedia, 'bytes'>): Promise<void>;
  finish(id: string, bytes: number): Promise<void>;
  get(id: string): Promise<KeptMedia | undefined>;
  delete(id: string): Promise<void>;
  /** Ids of what has expired; where there is none, of the oldest of what is more than so many bytes. */
  due(maxBytes: number, limit: number): Promise<readonly string[]>;
}

/** Where bytes lie. */
export interface Blobs {
  /** Resolves with the size when it is safe; leaves nothing of a source that breaks. `isFleeting`: nobody else holds the pieces (`reusePiece`). */
  write(id: string, source: AsyncIterable<Uint8Array>, mediaType: string, isFleeting?: boolean): Promise<number>;
  /**
   * Bytes `from` up to and with `to`. `isFleeting`: a piece need be good only until the second one after it is asked for. `signal`: nobody
   * wants it any more; what would be waited for is given up.
   */
  read(
    id: string,
    range: { readonly from: number; readonly to: number },
    isFleeting?: boolean,
    signal?: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>;
  /** No error where there is none. */
  delete(id: string): Promise<void>;
}

/** What keeping media stands on. */
interface MediaStorePorts {
  readonly index: MediaIndex;
  readonly blobs: Blobs;
  /** HMAC of a text. */
  readonly sign: (text: string) => string;
  readonly now: () => number;
  /** In force now. */
  readonly bounds: () => { readonly keepMs: number; readonly bytes: number };
}

/** How long a link is good where nothing else is said. */
const LINK_MS = 24 * 3_600_000;
/** What one sweep takes away at a time. */
const SWEEP_BATCH = 100;

/** Lower-case letters and digits only: Google's SDK cuts an id out of a link by them. */
const newMediaId = (): string =>
  BigInt(`0x${randomBytes(20).toString('hex')}`)
    .toString(36)
    .padStart(31, '0');

/** A file that may have no end: as much of it as is kept of all of them. */
async function* upTo(most: number, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let bytes = 0;
  for await (const piece of source) {
    bytes += piece.length;
    if (bytes > most) {
      throw new GatewayError(
        gatewayFault('upstream', 'The file is larger than all that is kept (tasks.media.bytes)', { code: 'file_too_large' }),
      );
    }
    yield piece;
  }
}

async function* once(data: Uint8Array): AsyncIterable<Uint8Array> {
  yield data;
}

const isSame = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

/** Media in some place, with their index, bounded by age and bytes. */
export function createMediaStore(ports: MediaStorePorts): MediaStore & { sweep(): Promise<void> } {
  const { index, blobs, sign, now, bounds } = ports;
  const signature = (id: string, exp: string): string => sign(`${id} ${exp}`);
  const remove = async (id: string): Promise<void> => {
    await blobs.delete(id);
    await index.delete(id);
  };
  return {
    async put(data, { mediaType, owner, expiresAt = now() + bounds().keepMs }) {
      const id = newMediaId();
      const media = { id, owner, mediaType, expiresAt };
      await index.begin(media);
      try {
        const isWhole = data instanceof Uint8Array;
        const bytes = await blobs.write(id, upTo(bounds().bytes, isWhole ? once(data) : data), mediaType, !isWhole);
        await index.finish(id, bytes);
        return { ...media, bytes };
      } catch (error) {
        await remove(id).catch(() => undefined);
        throw error;
      }
    },
    async find(id) {
      const media = /^[a-z0-9]{1,64}$/.test(id) ? await index.get(id) : undefined;
      return media && media.expiresAt > now() ? media : undefined;
    },
    async whole(media, signal) {
      const out = Buffer.alloc(media.bytes);
      let at = 0;
      for await (const piece of await blobs.read(media.id, { from: 0, to: media.bytes - 1 }, false, signal)) {
        out.set(piece, at);
        at += piece.length;
      }
      return out;
    },
    read: (media, range = { from: 0, to: media.bytes - 1 }, isFleeting = false, signal) => blobs.read(media.id, range, isFleeting, signal),
    remove,
    link({ id, expiresAt }, until = now() + LINK_MS) {
      const exp = String(Math.floor(Math.min(until, expiresAt) / 1000));
      return `/media/${id}?exp=${exp}&sig=${signature(id, exp)}`;
    },
    isSigned: (id, exp, sig) => /^\d{1,12}$/.test(exp) && Number(exp) * 1000 > now() && isSame(sig, signature(id, exp)),
    async sweep() {
      for (let round = 0; round < 100; round++) {
        const due = await index.due(bounds().bytes, SWEEP_BATCH);
        for (const id of due) await remove(id);
        if (due.length === 0) return;
      }
    },
  };
}
