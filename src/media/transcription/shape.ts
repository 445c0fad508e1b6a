import type { Fault } from '../../ir/index.ts';
import type { Counted, MediaAnswer, MediaRequest, MediaTarget } from '../codec.ts';

/** What a transcript can be asked for in. https://platform.openai.com/docs/api-reference/audio/createTranscription */
export const TRANSCRIPT_FORMATS = ['json', 'text', 'srt', 'verbose_json', 'vtt', 'diarized_json'] as const;

/** One of them. */
export type TranscriptFormat = (typeof TRANSCRIPT_FORMATS)[number];

/** A field as the client sent it. */
export interface SentField {
  /** `timestamp_granularities[]`. */
  readonly sentAs: string;
  /** `timestamp_granularities`. */
  readonly name: string;
  readonly value: string;
}

/** A sound to be written down, all but the sound itself. */
export interface TranscriptionRequest {
  /** `translate`: into English. */
  readonly task: 'transcribe' | 'translate';
  readonly format: TranscriptFormat;
  readonly stream: boolean;
  readonly language?: string;
  readonly prompt?: string;
  readonly temperature?: number;
  readonly granularities: readonly ('word' | 'segment')[];
  /** Everything but file and model, as it came. */
  readonly fields: readonly SentField[];
}

/** Something that was said, and when: in seconds. */
export interface Segment {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly speaker?: string;
}

/** What was said. */
export interface Transcript extends Counted {
  readonly text: string;
  readonly language?: string;
  readonly seconds?: number;
  /** Absent: the provider gave no times. */
  readonly segments?: readonly Segment[];
  readonly words?: readonly Segment[];
}

/** What a provider says while it writes down. */
export type TranscriptEvent =
  | { readonly type: 'delta'; readonly text: string }
  | { readonly type: 'segment'; readonly segment: Segment }
  | { readonly type: 'done'; readonly transcript: Transcript };

interface Codec {
  readonly id: string;
  /** Reads a whole answer; throws what cannot be read. */
  decode(answer: MediaAnswer, request: TranscriptionRequest): Transcript;
  /** Whether the provider streams what is asked; else its whole answer stands for a stream. */
  streams(request: TranscriptionRequest, target: MediaTarget): boolean;
  /** Reads a stream. */
  events(body: AsyncIterable<Buffer>, request: TranscriptionRequest): AsyncIterable<TranscriptEvent>;
  /** Reads an error body, where the usual reader does not know the vendor's shape. */
  decodeFault?(status: number, body: string): Fault | undefined;
}

/** A provider that takes a form with the file in it. */
export interface FormTranscription extends Codec {
  readonly kind: 'form';
  readonly modelField: 'model' | 'model_id';
  path(task: TranscriptionRequest['task'], target: MediaTarget): string;
  /** The fields beside file and model. Throws the 400 for what the provider cannot give. */
  fields(request: TranscriptionRequest, target: MediaTarget): readonly (readonly [string, string])[];
  /** The provider's answer is what the client asked for: its bytes pass. */
  passes(request: TranscriptionRequest, target: MediaTarget): boolean;
}

/** A provider that takes the sound inside a JSON request. */
export interface InlineTranscription extends Codec {
  readonly kind: 'inline';
  /** The largest file. */
  readonly maxBytes: number;
  encode(request: TranscriptionRequest, audio: { readonly data: Buffer; readonly mediaType: string }, target: MediaTarget): MediaRequest;
}

/** A provider that takes the file itself, and what is asked in the address. */
export interface BytesTranscription extends Codec {
  readonly kind: 'bytes';
  path(request: TranscriptionRequest, target: MediaTarget): string;
}

/** How one kind of provider is asked to write down what was said. */
export type TranscriptionCodec = FormTranscription | InlineTranscription | BytesTranscription;
