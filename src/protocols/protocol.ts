import type {
  ChatRequest,
  Emit,
  Fault,
  FactChanges,
  JsonObject,
  Notes,
  ProtocolId,
  Reply,
  ReplyEvent,
  Stop,
  TargetFacts,
  Usage,
} from '../ir/index.ts';
import type { SseFrame } from '../wire/sse.ts';

/** Writes one frame of a stream: its JSON text and, where the dialect names events, the event's name. */
export type WriteFrame = (data: string, event?: string) => void;

/** What an encoder of requests knows of where the request goes. */
export interface TargetContext {
  /** The target's own model id. */
  readonly model: string;
  readonly facts: TargetFacts;
  /** Who can open seals here: seals of other makers are left out. */
  readonly maker: string;
  readonly notes: Notes;
}

/** What a decoder of replies knows. */
export interface SourceContext {
  /** Put on the seals that it reads. */
  readonly maker: string;
  /** Makes an id for what the wire leaves nameless (Gemini calls): `prefix` + something unique. */
  readonly newId: (prefix: string) => string;
}

/** What an encoder of replies knows of the request that it answers. */
export interface ReplyContext {
  /** The client's request, as decoded. */
  readonly request: ChatRequest;
  /** The client's own body, for dialects that echo fields (Responses). */
  readonly body: JsonObject;
  readonly newId: (prefix: string) => string;
  /** Seconds since 1970, for dialects that want a time and a wire that had none. */
  readonly now: () => number;
  readonly notes: Notes;
  /** Goes into an error where the dialect's envelope has a place for it. */
  readonly requestId?: string;
  /** Ids that the gateway has given already (stored responses); absent: the upstream's or a new one. */
  readonly replyId?: string;
}

/**
 * Reads a provider's stream. After `end` nothing more is emitted. What is made for each call has methods, not getters: an
 * object literal with a getter gets a hidden class of its own from V8, which holds it until the next large collection.
 */
export interface StreamDecoder {
  frame(frame: SseFrame, emit: Emit): void;
  /**
   * The bytes have ended: cleanly, or by `cut`. Emits `reply-end` when the stream had come to its true end by its own
   * grammar and was not cut, else a fault. Never both, never twice.
   */
  end(emit: Emit, cut?: Fault): void;
  /** True once the dialect's last word has come (`[DONE]`, `message_stop`, `response.completed`): what follows is ignored. */
  isDone(): boolean;
}

/** Writes a client's stream, faults included: `fault` becomes the dialect's own error frame, with no end after it. */
export interface StreamEncoder {
  event(event: ReplyEvent, write: WriteFrame): void;
}

/** An error as a client gets it. */
export interface WireFault {
  readonly status: number;
  readonly body: JsonObject;
}

/** Writes an error into a stream whose events were relayed as they came, so that it goes on from them. */
export interface RelayedFaults {
  /** Whole events that were relayed. */
  see(events: Buffer): void;
  readonly faultFrame: ClientCodec['faultFrame'];
}

/** The half that speaks with clients. */
export interface ClientCodec {
  readonly id: ProtocolId;
  /**
   * Reads a client's request. Unknown fields become residue; wrong kinds of known ones throw `GatewayError` naming the
   * field. `null` is absent.
   */
  decodeRequest(body: JsonObject): ChatRequest;
  encodeReply(reply: Reply, context: ReplyContext): JsonObject;
  streamEncoder(context: ReplyContext): StreamEncoder;
  /** The error envelope, with the status that the dialect's SDK maps to the right exception. `requestId` goes where the envelope has a place for it. */
  encodeFault(fault: Fault, requestId: string): WireFault;
  /** The same as a frame in a stream that has begun. */
  faultFrame(fault: Fault, requestId: string, write: WriteFrame): void;
  /** For one stream of relayed bytes; absent where an error says nothing of what came before it. */
  relayedFaults?(): RelayedFaults;
  /** What keeps a silent stream alive: a whole SSE frame or comment, terminator included. */
  readonly keepAlive: string;
  /** The last frame of a complete stream where the dialect has a bare one (`[DONE]`); `undefined` otherwise. */
  readonly terminator?: string;
}

/** What a tap found out about a reply that passed by as bytes. */
export interface Tapped {
  readonly model?: string;
  readonly usage?: Usage;
  readonly stop?: Stop;
  readonly fault?: Fault;
  /** The dialect's last word came. */
  readonly done: boolean;
  /** The finish event came (which is what `end` may follow). */
  readonly finished: boolean;
}

/**
 * Where a dialect's stream says what the raw lane must know. The tap searches bytes for these needles and parses only
 * the frames that hold one, so a needle may hit too much (the frame is then read and found to be nothing) but never too
 * little.
 */
export interface TapRules {
  /** Byte sequences of which one is in every frame that ends the reply, reports usage at its end, or reports an error. */
  readonly needles: readonly string[];
  /** Also read the first frame (Anthropic reports input usage there). */
  readonly first: boolean;
  /** Whether whole events only say that a reply begins, and nothing of it: until something follows, another target may still answer instead. */
  opening?(events: Buffer): boolean;
  /** A clean end after the finish event completes the stream even without a last word (`[DONE]` is left out by some; Gemini has none). */
  readonly finishIsEnd?: boolean;
  /** Reads one frame that may matter. `finish`: this frame, and all after it, are held until the true end. */
  read(frame: SseFrame, soFar: Tapped): Tapped & { readonly finish?: boolean };
  /** Where each event reports what was used until then: the last report in the last bytes of a stream, of which the first event may not be whole. */
  reported?(end: Buffer): Usage | undefined;
  /**
   * What an event says once more, and nothing else of the answer: of the question, or what other events of the answer say. `event`: as much
   * of it as is at hand, at least its beginning, with a byte in each character. Absent: the dialect's events never do.
   */
  repeats?(event: string): 'question' | 'answer' | undefined;
  /** Reads a whole (not streamed) reply's bytes: usage and stop, by searching, not by parsing all of it. */
  whole(body: Buffer): Tapped;
}

/** The half that speaks with providers. */
export interface ProviderCodec {
  readonly id: ProtocolId;
  /** No reply's text ever carries a seal, only thoughts and tool calls do: then it need not be told again which text it was. Absent: it may. */
  readonly textUnsealed?: true;
  /** Facts that hold for this dialect unless a preset says otherwise; over `DEFAULT_FACTS`. */
  readonly facts: FactChanges;
  /** Path below the wire's base, with query: `/chat/completions`, `/models/{model}:streamGenerateContent?alt=sse`. The model is encoded for a path. */
  path(model: string, stream: boolean): string;
  /** Writes a request for the target. What cannot be said becomes a note, or throws `GatewayError` where its loss would change the answer. */
  encodeRequest(request: ChatRequest, context: TargetContext): JsonObject;
  decodeReply(body: JsonObject, context: SourceContext): Reply;
  streamDecoder(context: SourceContext): StreamDecoder;
  /** Reads an error body of any of the shapes seen on this wire (PROVIDERS §1 Errors), HTML and empty ones too. */
  decodeFault(status: number, body: string): Fault;
  readonly tap: TapRules;
}

/** A protocol that both sides speak. */
export interface Protocol extends ClientCodec, ProviderCodec {
  readonly id: ProtocolId;
}
