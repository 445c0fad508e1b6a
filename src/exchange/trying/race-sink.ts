import type { ClientSink, OutHeaders } from '../client-sink.ts';

/** The client as one of two tries sees it that run side by side. */
export interface RaceSink extends ClientSink {
  /** The other one was quicker: for this one the client has left. */
  leave(): void;
  /** Called once, before the first byte of this try goes out; at once when it has. */
  onBegin(listener: () => void): void;
}

class OneOfTwo implements RaceSink {
  begun = false;
  pass?: (bytes: Buffer) => boolean;
  readonly #client: ClientSink;
  readonly #sent: () => number;
  readonly #beginning: (() => void)[] = [];
  readonly #leaving: (() => void)[] = [];
  #left = false;

  constructor(client: ClientSink, sent: () => number) {
    this.#client = client;
    this.#sent = sent;
    const pass = client.pass?.bind(client);
    // Only bytes that the client itself takes are used again.
    if (pass) this.pass = (bytes) => this.#left || pass(bytes);
    client.onGone(() => this.leave());
  }
  get closed(): boolean {
    return this.#left || this.#client.closed;
  }
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    for (const listener of this.#leaving.splice(0)) listener();
  }
  begin(status: number, headers: OutHeaders, length?: number): void {
    this.#begin();
    if (this.#left) return;
    const sent = this.#sent();
    this.#client.begin(status, sent > 1 ? { ...headers, 'x-pailou-attempts': String(sent) } : headers, length);
  }
  write(bytes: Buffer | string): boolean {
    return this.#left || this.#client.write(bytes);
  }
  flush(): boolean | undefined {
    return this.#left || this.#client.flush?.();
  }
  end(bytes?: Buffer | string): void {
    if (!this.#left) this.#client.end(bytes);
  }
  abort(): void {
    this.#begin();
    if (!this.#left) this.#client.abort();
  }
  onBegin(listener: () => void): void {
    if (this.begun) listener();
    else this.#beginning.push(listener);
  }
  onGone(listener: () => void): void {
    if (this.#left) listener();
    else this.#leaving.push(listener);
  }
  onDrain(listener: () => void): void {
    this.#client.onDrain(listener);
  }
  #begin(): void {
    if (this.begun || this.#left) return;
    this.begun = true;
    for (const listener of this.#beginning.splice(0)) listener();
  }
}

/**
 * A client of which only the first of two tries to say something makes use. `sent`: how many tries the call has had by now, which
 * the client is told.
 */
export const createRaceSink = (client: ClientSink, sent: () => number): RaceSink => new OneOfTwo(client, sent);
