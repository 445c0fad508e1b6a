import type { Fault, JsonObject } from '../../ir/index.ts';
import type { MediaAnswer, MediaRequest, MediaTarget } from '../codec.ts';

/** An image that a client brought, in whatever form. */
export interface VideoImage {
  readonly data: Buffer;
  /** What its bytes say. */
  readonly mediaType: string;
  /** Where the client named it by a URL: for providers that take nothing else. */
  readonly url?: string;
  /** The client's field. */
  readonly at: string;
  /** Default: the first frame. */
  readonly role?: 'first' | 'last' | 'reference';
}

/** A video to be made. */
export interface VideoRequest {
  readonly prompt: string;
  readonly images: readonly VideoImage[];
  readonly seconds?: number;
  /** In pixels. */
  readonly size?: { readonly width: number; readonly height: number };
  /** `16:9`; where the client gave pixels, their ratio. */
  readonly ratio?: string;
  /** `480p`, `720p`, `1080p`, `4k`; where the client gave pixels, by the shorter side. */
  readonly resolution?: string;
  readonly negativePrompt?: string;
  readonly seed?: number;
  /** With sound. */
  readonly audio?: boolean;
  /** What clients call things, for notes and refusals: OpenAI's names, or Gemini's. */
  readonly names: VideoFieldNames;
  /** Fields that are not of this shape, for wires that are near to OpenAI's. */
  readonly rest: JsonObject;
}

/** What the client calls the fields of a request. */
export type VideoFieldNames = Readonly<
  Record<'prompt' | 'images' | 'seconds' | 'size' | 'ratio' | 'resolution' | 'negativePrompt' | 'seed' | 'audio', string>
>;

/** A video that a client brought. */
export interface VideoFile {
  readonly data: Buffer;
  readonly mediaType: string;
}

/** A video that another is made from: a job of the same provider, or a file. */
export interface VideoSource {
  readonly remoteId: string;
  /** In place of a job, for vendors that take files. */
  readonly file?: VideoFile;
  /** What the provider said of it when it was done. */
  readonly detail: JsonObject;
}

/** How a job stands at its provider, in our words. */
export interface VideoJob {
  readonly status: 'queued' | 'in_progress' | 'completed' | 'failed' | 'cancelled';
  /** 0–100 */
  readonly progress?: number;
  readonly error?: { readonly code: string; readonly message: string };
  /** Shown as `detail`: the provider's own words, ids, times, cost. No bytes. */
  readonly detail: JsonObject;
  /** Of a completed one, the video first. */
  readonly outputs?: readonly VideoOutput[];
  /** Milliseconds since 1970 when the provider's copy goes. */
  readonly expiresAt?: number;
}

/** Where a file that was made is to be got. */
export interface VideoOutput {
  readonly variant: 'video' | 'thumbnail' | 'spritesheet' | 'last_frame';
  /** Not every such server has it: missing, the task is complete without it. */
  readonly isOptional?: boolean;
  readonly from:
    /** An address that the provider gave; asked with its key only where it is the provider's own. */
    | { readonly url: string }
    /** The provider's own endpoint. */
    | { readonly request: MediaRequest }
    /** An endpoint that gives the address. */
    | { readonly request: MediaRequest; readonly urlIn: (answer: MediaAnswer) => string }
    | { readonly data: Buffer; readonly mediaType: string };
}

/** Ways of making a video of another one. */
export type Derivation = 'remix' | 'edit' | 'extend';

/** One vendor's way of making videos. */
export interface VideoCodec {
  readonly id: string;
  /** Writes a submission. What cannot be said becomes a note, or throws `GatewayError`. `id`: ours, for vendors that take one. */
  create(request: VideoRequest, target: MediaTarget, id: string): MediaRequest;
  readonly derive?: { readonly [D in Derivation]?: (source: VideoSource, request: VideoRequest, target: MediaTarget) => MediaRequest };
  /** Edits and extensions of files, too. */
  readonly takesFiles?: boolean;
  /** Makes a character of a video, to be named in other requests. Answered with `id`, `name`, `created_at`. */
  character?(name: string, video: VideoFile): MediaRequest;
  /** Reads the answer to a submission that went to this path; throws where there is no id. */
  accepted(answer: MediaAnswer, target: MediaTarget, path: string): VideoJob & { readonly remoteId: string };
  /** Asks how a job stands. */
  poll(remoteId: string, target: MediaTarget): MediaRequest;
  job(answer: MediaAnswer, remoteId: string, target: MediaTarget): VideoJob;
  cancel?(remoteId: string, target: MediaTarget): MediaRequest;
  remove?(remoteId: string, target: MediaTarget): MediaRequest;
  /** Looks for a job whose submission was cut. */
  readonly find?: {
    /** Asks for jobs; `after`: those that follow on a page. */
    request(about: FindAbout, target: MediaTarget, after?: string): MediaRequest;
    /** The ids of those that it may be, and what the next page comes after, while it may be there. */
    pick(answer: MediaAnswer, about: FindAbout): { readonly ids: readonly string[]; readonly after?: string };
  };
  /** Reads an error body, where the usual reader does not know the vendor's shape. */
  decodeFault?(status: number, body: string): Fault | undefined;
}

/** What is known of a submission that was cut. */
export interface FindAbout {
  /** Our id. */
  readonly id: string;
  readonly prompt: string;
  readonly model: string;
  readonly hasImages: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}
