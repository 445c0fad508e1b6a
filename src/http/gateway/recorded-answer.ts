import type { ClientSink, OutHeaders, Refusal } from '../../exchange/client-sink.ts';
import type { Fault } from '../../ir/index.ts';

/** An answer that is kept to be given again. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * An answer that was given, or might have been, and cannot be given again. `too-large`: it was more than is kept; `broken`: it was cut
 * off, or its client left and nobody could wait for the rest; `gone`: the process that worked on it.
 */
export interface LostAnswer {
  readonly lost: 'too-large' | 'broken' | 'gone';
}

/** The largest answer that is kept. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;

/** Work whose client has left, and that goes on so that its answer can be kept. */
export interface Unattended {
  /** One more; `undefined`: there are too many. Gives what ends it. */
  take(stop: () => void): (() => void) | undefined;
}

/** Each answer has its own. */
const ID_HEADERS: ReadonlySet<string> = new Set(['x-request-id', 'x-pailou-request-id', 'request-id', 'x-pailou-overhead-ms']);

const keptHeaders = (headers: OutHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string' && !ID_HEADERS.has(entry[0])),
  );

/**
 * The way to a client whose answer is kept. When the client leaves the work goes on, unheard: who sent a key will ask again, and
 * must not have it done twice.
 */
export class RecordingSink implements ClientSink {
  /** What went wrong, where something did: told before it is written. */
  fault: Fault | undefined;
  readonly #client: ClientSink & { readonly idleSince?: number };
  readonly #unattended: Unattended;
  readonly #gones: (() => void)[] = [];
  #status = 0;
  /** What it comes to where nothing but signs of life had gone out. */
  #refusal: Refusal | undefined;
  #headers: Record<string, string> = {};
  #pieces: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  #aborted = false;
  /** The client is there, or the work goes on without it. */
  #goesOn = true;
  #isGone = false;
  #isOver = false;
  #held: { readonly bytes: Buffer | string | undefined } | undefined;
  #attended: (() => void) | undefined;

  constructor(client: ClientSink, unattended: Unattended) {
    this.#client = client;
    this.#unattended = unattended;
    client.onGone(() => this.#left());
  }

  get begun(): boolean {
    return this.#status !== 0 || (!this.#isGone && this.#client.begun);
  }
  get closed(): boolean {
    return this.#ended || !this.#goesOn;
  }
  /** Nobody has to be kept alive who has left. */
  get idleSince(): number {
    return this.#isGone ? Infinity : (this.#client.idleSince ?? Infinity);
  }
  /** How often an upstream was asked, as far as the answer says. */
  get attempts(): number {
    return Number(this.#headers['x-pailou-attempts'] ?? 0);
  }

  begin(status: number, headers: OutHeaders, length?: number): void {
    if (this.#status !== 0) return;
    this.#status = status;
    this.#headers = keptHeaders(headers);
    if (!this.#isGone) this.#client.begin(status, headers, length);
  }

  write(bytes: Buffer | string): boolean {
    this.#record(bytes);
    return this.#isGone || this.#client.write(bytes);
  }

  end(bytes?: Buffer | string): void {
    if (bytes !== undefined) this.#record(bytes);
    this.#ended = true;
    this.#held = { bytes };
  }

  /** What ended the answer is kept back until it is kept: who has it all may ask again at once. Then the client gets it. */
  release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held && !this.#isGone) this.#client.end(held.bytes);
  }

  abort(): void {
    this.#ended = true;
    this.#aborted = true;
    if (!this.#isGone) this.#client.abort();
  }

  failed(fault: Fault, refusal: Refusal): void {
    this.fault = fault;
    if (this.#status === 0) this.#refusal = refusal;
  }

  onGone(listener: () => void): void {
    if (this.#goesOn) this.#gones.push(listener);
    else listener();
  }

  onDrain(listener: () => void): void {
    this.#client.onDrain(listener);
  }

  /** What was said; `undefined`: nothing was. The work is over. */
  answer(): KeptAnswer | LostAnswer | undefined {
    this.#isOver = true;
    this.#attended?.();
    if (this.#bytes > MAX_KEPT_BYTES) return { lost: 'too-large' };
    if (!this.#goesOn) return { lost: 'broken' };
    // Who was only kept waiting has been told no answer: asked again, it is the one that was due.
    if (this.#refusal && this.#status === 0) {
      this.#headers = keptHeaders(this.#refusal.headers);
      return { ...this.#refusal, headers: this.#headers };
    }
    if (this.#aborted) return { lost: 'broken' };
    if (!this.#ended) return undefined;
    return { status: this.#status === 0 ? 200 : this.#status, headers: this.#headers, body: Buffer.concat(this.#pieces) };
  }

  #record(bytes: Buffer | string): void {
    if (this.#bytes > MAX_KEPT_BYTES) return;
    const piece = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    this.#bytes += piece.length;
    if (this.#bytes <= MAX_KEPT_BYTES) {
      this.#pieces.push(piece);
      return;
    }
    this.#pieces = [];
    // What nobody hears and nobody can be told later is worth nothing.
    if (this.#isGone) this.#stop();
  }

  #left(): void {
    this.#isGone = true;
    if (this.#ended || this.#isOver) return;
    this.#attended = this.#bytes > MAX_KEPT_BYTES ? undefined : this.#unattended.take(() => this.#stop());
    if (!this.#attended) this.#stop();
  }

  #stop(): void {
    if (!this.#goesOn) return;
    this.#goesOn = false;
    for (const gone of this.#gones.splice(0)) gone();
  }
}
