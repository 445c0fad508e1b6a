import { GatewayError, gatewayFault } from '../../ir/index.ts';
import type { QueueRule } from '../../policy/queue.ts';
import type { ClientSink } from '../client-sink.ts';

/** Gives a place back. */
export type Release = () => void;

/** Who wants a place, and for how long it may be waited for. */
export interface Wanting {
  /** Its name: of a provider, one of its credentials, or a target of a route. */
  readonly place: string;
  /** What it is called to whoever is refused. */
  readonly title: string;
  readonly limit: number;
  readonly queue: QueueRule;
  /** Those who wait are served in turn by owner: one that floods waits for itself. */
  readonly owner: string;
  readonly sink: Pick<ClientSink, 'onGone'>;
  readonly maxMs: number;
}

/** Places that take only so many calls at once (`concurrency`), and who waits for one. */
export interface Slots {
  /** Whether a call would have to wait. */
  isFull(place: string, limit: number | undefined): boolean;
  /** A place; `undefined` when the client left. Throws the refusal (503) when too many wait, or it takes too long: as its queue says. */
  take(wanting: Wanting): Promise<Release | undefined>;
}

/** When one who was refused may come back. */
const COME_BACK_MS = 2000;

interface Waiter {
  readonly go: () => void;
}

interface Place {
  running: number;
  limit: number;
  waiting: number;
  readonly queues: Map<string, Waiter[]>;
}

const refusal = ({ title, limit }: Wanting, why: string): GatewayError =>
  new GatewayError(
    gatewayFault('overloaded', `${title} is busy to its limit of ${limit} at once ('concurrency'): ${why}`, {
      code: 'concurrency_full',
      retryAfterMs: COME_BACK_MS,
    }),
  );

/** Lets in who has waited longest of the owner whose turn it is. */
function letIn(place: Place): void {
  while (place.running < place.limit) {
    const [entry] = place.queues;
    if (!entry) return;
    const [owner, queue] = entry;
    const waiter = queue.shift();
    place.queues.delete(owner);
    if (queue.length > 0) place.queues.set(owner, queue);
    if (!waiter) continue;
    place.waiting--;
    place.running++;
    waiter.go();
  }
}

/** Waits as the last of its owner. */
function enqueue(place: Place, owner: string, waiter: Waiter): void {
  const queue = place.queues.get(owner) ?? [];
  queue.push(waiter);
  place.waiting++;
  place.queues.set(owner, queue);
}

function leave(place: Place, owner: string, waiter: Waiter): void {
  const queue = place.queues.get(owner);
  const at = queue?.indexOf(waiter) ?? -1;
  if (!queue || at < 0) return;
  queue.splice(at, 1);
  place.waiting--;
  if (queue.length === 0) place.queues.delete(owner);
}

/** Places that are taken or waited for, by their names. */
type Places = Map<string, Place>;

/** The way to give back a place that was taken; the place is forgotten once nobody has it or waits for it. */
function releaseOf(places: Places, name: string, place: Place): Release {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    place.running--;
    letIn(place);
    if (place.running === 0 && place.waiting === 0) places.delete(name);
  };
}

/** Throws the refusal where no more may wait. */
function checkQueue(place: Place, wanting: Wanting): void {
  const { calls, perCaller } = wanting.queue;
  if (calls === 0) throw refusal(wanting, "none may wait there ('queue')");
  if (place.waiting >= calls) throw refusal(wanting, `too many wait already: ${calls} may ('queue.calls')`);
  if ((place.queues.get(wanting.owner)?.length ?? 0) >= perCaller)
    throw refusal(wanting, `too many wait already: ${perCaller} of one caller may ('queue.perCaller')`);
}

function wait(places: Places, place: Place, wanting: Wanting): Promise<Release | undefined> {
  const { place: name, owner, sink, maxMs, queue: rule } = wanting;
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => {
        leave(place, owner, waiter);
        reject(refusal(wanting, `no call ended in time ('${rule.waitMs <= maxMs ? 'queue.wait' : 'timeouts.total'}')`));
      },
      Math.min(maxMs, rule.waitMs),
    );
    const waiter: Waiter = {
      go() {
        clearTimeout(late);
        resolve(releaseOf(places, name, place));
      },
    };
    enqueue(place, owner, waiter);
    sink.onGone(() => {
      clearTimeout(late);
      leave(place, owner, waiter);
      resolve(undefined);
    });
  });
}

/** No place is taken yet. */
export function createSlots(): Slots {
  const places: Places = new Map();
  return {
    isFull(name, limit) {
      const place = limit === undefined ? undefined : places.get(name);
      return place !== undefined && limit !== undefined && (place.running >= limit || place.waiting > 0);
    },
    async take(wanting) {
      const { place: name, limit } = wanting;
      const place = places.get(name) ?? { running: 0, limit, waiting: 0, queues: new Map() };
      places.set(name, place);
      place.limit = limit;
      letIn(place);
      if (place.running >= limit || place.waiting > 0) {
        checkQueue(place, wanting);
        return wait(places, place, wanting);
      }
      place.running++;
      return releaseOf(places, name, place);
    },
  };
}
