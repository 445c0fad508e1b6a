import type { OutHeaders } from '../exchange/client-sink.ts';
import type { JsonObject } from '../ir/index.ts';
import type { FrameLog, FrameRead } from './frame-log.ts';
import type { ReplyHandler } from './reply-handler.ts';
import type { TurnPorts } from './turn-ports.ts';

/** Which response. */
interface Which {
  readonly owner: string;
  readonly id: string;
}

/** Which of its events: those after a number. */
interface Place extends Which {
  readonly after: number;
}

/** What this process answers of the responses that it makes. */
export interface Here {
  /** `undefined`: it is not made here, or its events are too many to be told. */
  readonly logOf: (which: Which) => FrameLog | undefined;
  readonly cancel: (which: Which) => JsonObject | undefined;
}

/** Responses that are made in other processes. */
export interface Elsewhere {
  /** Tells their events as they come. False: no process has them, or none answers. */
  follow(place: Place, client: ReplyHandler, headers: OutHeaders): Promise<boolean>;
  /** `undefined`: no process makes it, or none answers. */
  cancel(which: Which): Promise<JsonObject | undefined>;
}

/** How long another process may wait for the next event before it says that there is none yet. */
const WAIT_MS = 500;
/** Text that is told at a time. */
const MOST = 1024 * 1024;

/** What a log says after an event: at once where it says anything, else as soon as it does, or after a while. */
function readSoon(log: FrameLog, after: number): FrameRead | Promise<FrameRead> {
  const now = log.read(after, MOST);
  if (now.isOver || now.frames.length > 0) return now;
  return new Promise((resolve) => {
    const answer = (): void => {
      clearTimeout(late);
      leave();
      resolve(log.read(after, MOST));
    };
    const leave = log.onNext(answer);
    const late = setTimeout(answer, WAIT_MS);
  });
}

/** Asks the others, and answers them. */
export function createElsewhere(peers: TurnPorts['peers'], here: Here): Elsewhere {
  peers?.answer('response frames', (body) => {
    const place = body as Place;
    const log = here.logOf(place);
    return log && readSoon(log, place.after);
  });
  peers?.answer('response cancel', (body) => here.cancel(body as Which));
  const read = async (place: Place): Promise<FrameRead | undefined> =>
    (await peers?.ask('response frames', place)) as FrameRead | undefined;

  return {
    async follow(place, client, headers) {
      let found = await read(place);
      if (!found) return false;
      client.begin(headers);
      let { after } = place;
      while (found && !client.isClosed()) {
        for (const { data, event, sequence } of found.frames) {
          client.frame(data, event);
          after = sequence;
        }
        if (found.isOver) {
          client.end();
          return true;
        }
        found = await read({ ...place, after });
      }
      // Who made it is gone or silent: what was told is not complete.
      if (!client.isClosed()) client.abort();
      return true;
    },
    cancel: async (which) => (await peers?.ask('response cancel', which)) as JsonObject | undefined,
  };
}
