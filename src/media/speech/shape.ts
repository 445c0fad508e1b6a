import type { Fault, JsonObject, Usage } from '../../ir/index.ts';
import type { AudioFormat } from '../audio/formats.ts';
import type { TopLevel } from '../../wire/top-level-scan.ts';
import type { MediaAnswer, MediaRequest, MediaTarget } from '../codec.ts';

/** A text to be spoken. */
export interface SpeechRequest {
  readonly input: string;
  /** In the provider's own words; absent: its default. */
  readonly voice?: string;
  /** What the provider is asked for: one of the codec's formats. */
  readonly format: AudioFormat;
  /** 0.25 to 4. */
  readonly speed?: number;
  /** How to speak. */
  readonly instructions?: string;
  /** The provider's own events are wanted, as OpenAI writes them. */
  readonly events?: boolean;
  /** The client's body, where it is of OpenAI's dialect: a provider of the same gets its bytes where nothing must change. */
  readonly own?: OwnBody;
  /** Members of the client's body that are none of these: for providers of the client's own dialect. */
  readonly more?: JsonObject;
}

/** A client's body as it was sent. */
export interface OwnBody {
  readonly object: JsonObject;
  readonly bytes: Buffer;
  readonly scan: TopLevel;
}

/** What is learnt of a sound while it comes. */
export interface Heard {
  usage?: Usage;
  /** Of raw samples, where it is not the usual. */
  sampleRate?: number;
  /** All of them, where that is known with the first. */
  bytes?: number;
}

/** How one kind of provider is asked to speak. */
export interface SpeechCodec {
  readonly id: string;
  /** What it can give, of what can be asked for. */
  formats(target: MediaTarget): readonly AudioFormat[];
  encode(request: SpeechRequest, target: MediaTarget): MediaRequest;
  /** The sound's own bytes out of an answer, as it comes. Throws `GatewayError` for an error inside it. */
  decode(answer: OpenSpeech, heard: Heard): AsyncIterable<Buffer>;
  /** Reads an error body, where the usual reader does not know the vendor's shape. */
  decodeFault?(status: number, body: string): Fault | undefined;
}

/** An answer as it comes. */
export interface OpenSpeech extends Omit<MediaAnswer, 'body'> {
  readonly body: AsyncIterable<Buffer>;
}
