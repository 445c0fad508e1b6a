import type { ReplyHandler } from './reply-handler.ts';

/** One event of a response that is being made without a client. */
export interface LoggedFrame {
  readonly data: string;
  readonly event?: string;
  readonly sequence: number;
}

/** What a log says after some event. */
export interface FrameRead {
  readonly frames: readonly LoggedFrame[];
  /** These were the last ones. */
  readonly isOver: boolean;
}

/** The events of one response, for those who read them while they come or later. */
export interface FrameLog {
  /** Length of what is held. */
  readonly bytes: number;
  /** It grew too long to be read from its beginning. */
  readonly isCut: boolean;
  /** The number that the next event gets where it brings none. */
  readonly next: number;
  add(frame: LoggedFrame): void;
  /** No more come. */
  end(): void;
  /** Tells the events after number `after` until the end. */
  follow(client: ReplyHandler, after: number): void;
  /** The events after number `after`, at most about `most` of their text. */
  read(after: number, most: number): FrameRead;
  /** Calls once, with the next event or the end. What it gives takes that back. */
  onNext(call: () => void): () => void;
}

/** An empty log. Of a response longer than `most` only what comes from then on is told. */
export function createFrameLog(most: number): FrameLog {
  const frames: LoggedFrame[] = [];
  const readers = new Set<(frame: LoggedFrame | undefined) => void>();
  let isOver = false;

  const log: FrameLog & { bytes: number; isCut: boolean; next: number } = {
    bytes: 0,
    isCut: false,
    next: 0,
    add(frame) {
      log.next = frame.sequence + 1;
      if (!log.isCut) {
        frames.push(frame);
        log.bytes += frame.data.length;
        log.isCut = log.bytes > most;
        if (log.isCut) frames.length = 0;
      }
      for (const tell of readers) tell(frame);
    },
    end() {
      isOver = true;
      for (const tell of readers) tell(undefined);
      readers.clear();
    },
    follow(client, after) {
      const tell = (frame: LoggedFrame | undefined): void => {
        if (frame === undefined) client.end();
        else if (frame.sequence > after) client.frame(frame.data, frame.event);
      };
      for (const frame of frames) tell(frame);
      if (isOver) {
        tell(undefined);
        return;
      }
      readers.add(tell);
      client.onGone(() => readers.delete(tell));
    },
    read(after, most) {
      const wanted: LoggedFrame[] = [];
      let size = 0;
      for (const frame of frames.slice(frames.findLastIndex(({ sequence }) => sequence <= after) + 1)) {
        if (size > most) return { frames: wanted, isOver: false };
        wanted.push(frame);
        size += frame.data.length;
      }
      return { frames: wanted, isOver };
    },
    onNext(call) {
      const tell = (): void => {
        readers.delete(tell);
        call();
      };
      readers.add(tell);
      return () => void readers.delete(tell);
    },
  };
  return log;
}
