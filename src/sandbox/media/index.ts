import type { ClientCodec } from '../../protocols/protocol.ts';
import { badField, missingField } from '../../ir/index.ts';
import { type Behaviour, behaviourOf } from '../behaviour.ts';
import type { Step } from '../play.ts';
import type { MediaOperation, VideoOperation } from '../wires.ts';
import type { MediaAsk } from './ask.ts';
import { type Form, readForm } from './form.ts';
import { images } from './images.ts';
import { speech } from './speech.ts';
import { transcription } from './transcription.ts';
import { createVideoMemory, type VideoMemory, videos } from './videos.ts';

/** A request as it came, and what answers it. */
export interface MediaCall {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly requestId: string;
  readonly newId: (prefix: string) => string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly codec: ClientCodec;
  /** The 404 that lists what there is. */
  readonly unknownModel: (model: string) => Error;
}

/** Sounds, pictures and films. */
export interface MediaDesk {
  media(call: MediaCall, operation: MediaOperation): Promise<Iterable<Step>>;
  video(call: MediaCall, operation: VideoOperation): Promise<Iterable<Step>>;
}

const PLAIN: Behaviour = { voice: 'video', pace: { headMs: 0, firstMs: 0, betweenMs: 0 }, work: {} };

function named({ form, call }: { readonly form: Form; readonly call: MediaCall }): Pick<MediaAsk, 'model' | 'behaviour'> {
  const { model } = form.fields;
  if (model === undefined || model === null || model === '') throw missingField('model');
  if (typeof model !== 'string') throw badField('model', "Invalid request: 'model' must be a string");
  const behaviour = behaviourOf(model);
  if (!behaviour) throw call.unknownModel(model);
  return { model, behaviour };
}

const formOf = ({ body, headers }: MediaCall): Form => readForm(body, headers['content-type'] ?? '');

function askOf(call: MediaCall, form: Form, model: Pick<MediaAsk, 'model' | 'behaviour'>): MediaAsk {
  const { requestId, newId, nowMs, codec } = call;
  return { form, requestId, newId, codec, now: Math.floor(nowMs / 1000), ...model };
}

function askMedia(call: MediaCall, { what }: MediaOperation): Iterable<Step> | Promise<Iterable<Step>> {
  const form = formOf(call);
  const ask = askOf(call, form, named({ form, call }));
  if (what === 'speech') return speech(ask);
  if (what === 'transcription') return transcription(ask, 'transcribe');
  return what === 'translation' ? transcription(ask, 'translate') : images(ask, what);
}

function askVideo(call: MediaCall, operation: VideoOperation, memory: VideoMemory): Iterable<Step> {
  const { action } = operation;
  const writes = action !== 'get' && action !== 'list' && action !== 'delete' && action !== 'content';
  const form = writes ? formOf(call) : { fields: {}, files: [] };
  // What is made from a film is its model's, where no other is named.
  const isNamed = action === 'create' || (writes && typeof form.fields['model'] === 'string');
  const ask = askOf(call, form, isNamed ? named({ form, call }) : { model: 'video', behaviour: PLAIN });
  const { range } = call.headers;
  const query = new URLSearchParams(call.path.split('?', 2)[1] ?? '');
  return videos({ ...ask, nowMs: call.nowMs, memory, query, ...(range === undefined ? {} : { range }) }, operation);
}

export function createMediaDesk(): MediaDesk {
  const memory = createVideoMemory();
  return {
    media: async (call, operation) => askMedia(call, operation),
    video: async (call, operation) => askVideo(call, operation, memory),
  };
}
