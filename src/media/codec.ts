import type { Fault, Notes, Usage } from '../ir/index.ts';

/** One HTTP request of a provider's codec, below the wire's base. */
export interface MediaRequest {
  /** Default POST. */
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Path below the base, with query. */
  readonly path: string;
  /** A whole address instead, as the provider gave it (of a job, of a file). Only the provider's own hosts are asked. */
  readonly url?: string;
  /** Lower-case names; `content-type` is JSON's unless it stands here. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: readonly Buffer[];
  /** It starts something that must not be started twice: never sent again, whatever becomes of the connection. */
  readonly isOnce?: boolean;
  /** It only looks how far something is. What gets (`GET`) never does more. */
  readonly isLook?: boolean;
  /** A body that is not held: it is read as the upstream takes it, once. */
  readonly stream?: MediaStream;
}

/** Bytes that are read once, as fast as they are taken. */
export interface MediaStream {
  readonly bytes: AsyncIterable<Buffer>;
  /** How many, where that is known before. */
  readonly length?: number;
}

/** A provider's whole answer with a success status. */
export interface MediaAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** What a codec knows of where its request goes. */
export interface MediaTarget {
  /** The target's own model id. */
  readonly model: string;
  /** Differences of this provider from what the codec usually sends. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /** The values that the provider's address was made with: `apiVersion`, `region`. */
  readonly settings: Readonly<Record<string, string>>;
  readonly notes: Notes;
  /** `prefix` and something unique. */
  readonly newId: (prefix: string) => string;
}

/** An ability that is asked in one request and answered in one reply. */
export interface WholeCodec<Request, Reply> {
  readonly id: string;
  /** Writes a request. What cannot be said becomes a note, or throws `GatewayError` where its loss would change the answer. */
  encode(request: Request, target: MediaTarget): MediaRequest;
  /** Reads a success answer; throws `GatewayError` for an error inside it, anything else for what cannot be read. */
  decode(answer: MediaAnswer, request: Request, target: MediaTarget): Reply;
  /** Reads an error body, where the usual reader does not know the vendor's shape. */
  decodeFault?(status: number, body: string): Fault | undefined;
}

/** What every reply says of what it cost. */
export interface Counted {
  readonly usage?: Usage;
  /** The upstream's own word for the model. */
  readonly model?: string;
}

/** A JSON body. */
export const jsonBody = (value: object): readonly Buffer[] => [Buffer.from(JSON.stringify(value))];
