import type { Fault, JsonObject } from '../../ir/index.ts';
import type { SseFrame } from '../../wire/sse.ts';
import type { Counted, MediaAnswer, MediaRequest, MediaTarget } from '../codec.ts';

/** An image that a client brought, whatever way it came. */
export interface ImageFile {
  readonly data: Buffer;
  /** What its bytes say. */
  readonly mediaType: string;
  /** The client's field. */
  readonly at: string;
}

/** What of an image is to be edited: where it is transparent (`alpha`), or where it is white (`luma`). */
export interface ImageMask extends ImageFile {
  readonly form: 'alpha' | 'luma';
}

/** How large an image shall be, as far as the client said: pixels, a ratio, or a resolution (`2K`). */
export interface ImageSizeWish {
  readonly width?: number;
  readonly height?: number;
  /** `16:9`. */
  readonly ratio?: string;
  /** `1K`, `2K`, `4K`. */
  readonly resolution?: string;
  /** As the client wrote it, where it is one word. */
  readonly text?: string;
}

/** So many images one call may ask for: OpenAI's own bound. */
export const MOST_IMAGES = 10;

/** Images to be made. */
export interface ImageRequest {
  readonly task: 'generation' | 'edit' | 'variation';
  /** Empty for a variation. */
  readonly prompt: string;
  /** What is edited, or varied. */
  readonly images: readonly ImageFile[];
  readonly mask?: ImageMask;
  readonly n: number;
  readonly size: ImageSizeWish;
  readonly quality?: string;
  readonly style?: string;
  readonly background?: string;
  readonly outputFormat?: string;
  readonly compression?: number;
  readonly moderation?: string;
  readonly fidelity?: string;
  readonly user?: string;
  readonly seed?: number;
  readonly negativePrompt?: string;
  /** Events are wanted; how many previews. */
  readonly stream?: { readonly partials: number };
  /** What the client calls things, for notes. */
  readonly names: ImageFieldNames;
  /** Fields that are not of this shape, for wires that are near to OpenAI's. */
  readonly rest: JsonObject;
}

/** What notes call the fields of a request. */
export type ImageFieldNames = Readonly<
  Record<
    | 'size'
    | 'quality'
    | 'style'
    | 'background'
    | 'outputFormat'
    | 'compression'
    | 'moderation'
    | 'fidelity'
    | 'user'
    | 'seed'
    | 'negativePrompt'
    | 'mask'
    | 'n',
    string
  >
>;

/** One image, by its bytes or by where they lie. */
export interface MadeImage {
  /** Base64, bare. */
  readonly data?: string;
  readonly url?: string;
  readonly revisedPrompt?: string;
}

/** Images that were made. */
export interface ImageReply extends Counted {
  readonly images: readonly MadeImage[];
  /** Seconds since 1970. */
  readonly created?: number;
  /** What the provider says of all of them, in OpenAI's words: `size`, `quality`, `background`, `output_format`, `usage`. */
  readonly about?: JsonObject;
}

/** A job at the provider that is asked for until it is done. */
export interface ImageJob {
  readonly id: string;
  /** Where to ask, when the provider says so itself. */
  readonly url?: string;
}

/** How far it is. */
export type ImageOutcome =
  | { readonly kind: 'made'; readonly reply: ImageReply }
  | { readonly kind: 'pending'; readonly job: ImageJob; readonly progress?: number };

/** What a stream of a provider says. */
export type ImageEvent =
  | { readonly type: 'partial'; readonly index: number; readonly data: string; readonly about?: JsonObject }
  | { readonly type: 'image'; readonly image: MadeImage; readonly about?: JsonObject }
  | { readonly type: 'fault'; readonly fault: Fault };

/** How one kind of provider is asked for images. */
export interface ImageCodec {
  readonly id: string;
  /** How many images one request makes; default 1. The rest are asked for side by side. */
  readonly atOnce?: (request: ImageRequest, target: MediaTarget) => number;
  /** Writes a request. What cannot be said becomes a note, or throws `GatewayError` where its loss would change the answer. */
  encode(request: ImageRequest, target: MediaTarget): MediaRequest;
  /** Reads a success answer; throws `GatewayError` for an error inside it, anything else for what cannot be read. */
  decode(answer: MediaAnswer, request: ImageRequest, target: MediaTarget): ImageOutcome;
  /** The form of mask that is understood; absent: none is, and `encode` refuses it. */
  readonly maskForm?: (options: MediaTarget['options']) => ImageMask['form'] | undefined;
  /** Whether its answer is a job, which is asked for until it is done. */
  readonly answersWithJobs?: (options: MediaTarget['options']) => boolean;
  /** Asks how a job stands. Its answer is read by `decodeJob`. */
  readonly poll?: (job: ImageJob, target: MediaTarget) => MediaRequest;
  readonly decodeJob?: (answer: MediaAnswer, job: ImageJob, target: MediaTarget) => ImageOutcome;
  /** Present where the provider streams: then `encode` sees `request.stream`. */
  readonly readEvent?: (frame: SseFrame) => ImageEvent | undefined;
  readonly decodeFault?: (status: number, body: string) => Fault | undefined;
}
