import type { Fault } from '../../ir/index.ts';
import type { ClientSink, OutHeaders, Refusal } from '../client-sink.ts';
import { choose, type Flight, flows, isWanted, type Saying } from './flight.ts';
import { MAX_ANSWER_BYTES } from './kept-answers.ts';

function record(saying: Saying, bytes: Buffer | string): void {
  if (saying.bytes > MAX_ANSWER_BYTES) return;
  const piece = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  saying.bytes += piece.length;
  if (saying.bytes <= MAX_ANSWER_BYTES) saying.pieces.push(piece);
  else saying.pieces = [];
}

function begin(flight: Flight, status: number, headers: OutHeaders, length?: number): void {
  if (flight.saying.head) return;
  flight.saying.head = { status, headers, length };
  choose(flight, headers);
  if (flight.leads) flight.leader.begin(status, headers, length);
}

function write(flight: Flight, bytes: Buffer | string): boolean {
  record(flight.saying, bytes);
  if (flight.leads && !flight.leader.write(bytes)) flight.leaderOwes += bytes.length;
  flight.isWaiting = !flows(flight);
  return !flight.isWaiting;
}

function end({ saying, leads, leader }: Flight, bytes?: Buffer | string): void {
  if (bytes !== undefined) record(saying, bytes);
  saying.ended = true;
  if (leads) leader.end(bytes);
}

function abort({ saying, leads, leader }: Flight): void {
  saying.ended = true;
  saying.bytes = Infinity;
  if (leads) leader.abort();
}

/**
 * The client of a call that others follow: the leader, as far as it is there.
 *
 * A class, since there is one for each call: an object literal with getters costs V8 a hidden class of its own, which outlives the call.
 */
class FlightSink implements ClientSink {
  readonly #flight: Flight;

  constructor(flight: Flight) {
    this.#flight = flight;
  }
  /** The answer's head has come, or a keep-alive has begun the leader's stream. */
  get begun(): boolean {
    const { saying, leads, leader } = this.#flight;
    return saying.head !== undefined || (leads && leader.begun);
  }
  /** Everything was said, or nobody listens. */
  get closed(): boolean {
    return this.#flight.saying.ended || !isWanted(this.#flight);
  }
  begin(status: number, headers: OutHeaders, length?: number): void {
    begin(this.#flight, status, headers, length);
  }
  write(bytes: Buffer | string): boolean {
    return write(this.#flight, bytes);
  }
  end(bytes?: Buffer | string): void {
    end(this.#flight, bytes);
  }
  failed(fault: Fault, refusal: Refusal): void {
    this.#flight.fault = fault;
    this.#flight.leader.failed?.(fault, refusal);
  }
  abort(): void {
    abort(this.#flight);
  }
  onGone(listener: () => void): void {
    if (isWanted(this.#flight)) this.#flight.gones.push(listener);
    else listener();
  }
  onDrain(listener: () => void): void {
    this.#flight.drains.push(listener);
  }
}

/** The client of a flight's call. */
export const flightSink = (flight: Flight): ClientSink => new FlightSink(flight);
