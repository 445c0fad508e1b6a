/**
 * Bytes between one who is given them and one who reads them, once and in order. Node's `Readable` does more than is needed here, before the
 * first word of an answer and the first byte of an upload.
 */
export interface ByteQueue extends AsyncIterable<Buffer> {
  /** More; `false` asks to wait until `room`. Nothing is taken any more once it is over. */
  push(bytes: Buffer): boolean;
  /** No more comes. */
  end(): void;
  /** What came is read still, and then this is thrown. */
  fail(error: unknown): void;
  /** Nobody reads it any more. */
  leave(): void;
  /** All came, it failed, or its reader left. */
  isOver(): boolean;
}

/** Whom it tells. */
export interface QueueEnds {
  /** Its reader waits. */
  room(): void;
  /** Its reader left, or `leave` was called, before it was over. Told once. */
  left(): void;
}

interface Waiting {
  readonly resolve: (next: IteratorResult<Buffer, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

const DONE: IteratorResult<Buffer, undefined> = { done: true, value: undefined };

/** Makes a queue that asks to wait once it holds `most` bytes: 0 reads nothing ahead. */
export function createByteQueue({ room, left }: QueueEnds, most: number): ByteQueue {
  let pieces: Buffer[] = [];
  let held = 0;
  let over: 'ended' | 'left' | { readonly error: unknown } | undefined;
  let waiting: Waiting | undefined;

  const finish = (how: typeof over): void => {
    if (over !== undefined) return;
    over = how;
    const reader = waiting;
    waiting = undefined;
    if (typeof how === 'object') reader?.reject(how.error);
    else reader?.resolve(DONE);
  };
  const leave = (): void => {
    const isEarly = over === undefined;
    finish('left');
    pieces = [];
    if (isEarly) left();
  };
  const next = (): Promise<IteratorResult<Buffer, undefined>> => {
    const value = pieces.shift();
    if (value) {
      held -= value.length;
      return Promise.resolve({ done: false, value });
    }
    if (typeof over === 'object') {
      const { error } = over;
      over = 'ended';
      return Promise.reject(error);
    }
    if (over !== undefined) return Promise.resolve(DONE);
    const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<Buffer, undefined>>();
    waiting = { resolve, reject };
    room();
    return promise;
  };
  const iterator: AsyncIterator<Buffer, undefined> = {
    next,
    return() {
      leave();
      return Promise.resolve(DONE);
    },
  };
  return {
    push(bytes) {
      if (over !== undefined) return true;
      const reader = waiting;
      waiting = undefined;
      if (reader) {
        reader.resolve({ done: false, value: bytes });
        return most > 0;
      }
      pieces.push(bytes);
      held += bytes.length;
      return held < most;
    },
    end: () => finish('ended'),
    fail: (error) => finish({ error }),
    leave,
    isOver: () => over !== undefined,
    [Symbol.asyncIterator]: () => iterator,
  };
}
