import type { ClientSink, OutHeaders } from '../client-sink.ts';

/**
 * The client as one try sees it: nothing has begun until this try begins it, whatever a keep-alive has sent before. So a try
 * that fails before it said anything leaves the client to the next one.
 */
class GateSink implements ClientSink {
  begun = false;
  pass?: (bytes: Buffer) => boolean;
  readonly #client: ClientSink;

  constructor(client: ClientSink) {
    this.#client = client;
    if (client.pass) this.pass = client.pass.bind(client);
  }
  get closed(): boolean {
    return this.#client.closed;
  }
  begin(status: number, headers: OutHeaders, length?: number): void {
    this.begun = true;
    this.#client.begin(status, headers, length);
  }
  write(bytes: Buffer | string): boolean {
    return this.#client.write(bytes);
  }
  flush(): boolean | undefined {
    return this.#client.flush?.();
  }
  end(bytes?: Buffer | string): void {
    this.#client.end(bytes);
  }
  abort(): void {
    this.begun = true;
    this.#client.abort();
  }
  onGone(listener: () => void): void {
    this.#client.onGone(listener);
  }
  onDrain(listener: () => void): void {
    this.#client.onDrain(listener);
  }
}

/** A client for one try. */
export const createGate = (client: ClientSink): ClientSink => new GateSink(client);
