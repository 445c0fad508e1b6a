import { GatewayError, gatewayFault } from '../../ir/index.ts';
import type { ClientCodec } from '../../protocols/protocol.ts';
import { bodySteps, errorFrame, failedSteps, idHeader, isMid, JSON_TYPE, lastWords, wait } from '../answer-steps.ts';
import type { Behaviour } from '../behaviour.ts';
import type { Step } from '../play.ts';
import { sseText } from '../../wire/sse.ts';
import type { Form } from './form.ts';

/** A request for a sound, a picture or a film, and what it is answered with. */
export interface MediaAsk {
  readonly form: Form;
  readonly model: string;
  /** What the model's name asks for. */
  readonly behaviour: Behaviour;
  readonly requestId: string;
  readonly newId: (prefix: string) => string;
  /** Seconds since 1970. */
  readonly now: number;
  /** Writes errors. */
  readonly codec: ClientCodec;
}

type Giving = Pick<MediaAsk, 'behaviour' | 'requestId' | 'codec'>;

/** What is asked by name of a model that only one endpoint has. Throws `GatewayError`. */
export function expectVoice({ behaviour, model }: MediaAsk, voice: Behaviour['voice'], what: string): void {
  // A failure is the same wherever it is asked for.
  if (behaviour.voice === voice || behaviour.trouble) return;
  throw new GatewayError(
    gatewayFault('bad_request', `The model '${model.slice(0, 200)}' makes no ${what}; '${voice}' does`, {
      code: 'model_not_supported',
      param: 'model',
      by: 'upstream',
    }),
  );
}

/** What a provider says when its safety system steps in. */
const REFUSED = 'Your request was rejected by the safety system, as it was asked to';

/** Refuses, or fails, what is not begun as a task. Throws `GatewayError`. */
export function settleWork({ work }: Behaviour): void {
  if (work.end === 'refused' || work.end === 'filtered')
    throw new GatewayError(
      gatewayFault('bad_request', REFUSED, { code: 'moderation_blocked', rawType: 'image_generation_user_error', by: 'upstream' }),
    );
  if (work.end === 'failed')
    throw new GatewayError(
      gatewayFault('internal', 'The sandbox fails at this work, as it was asked to', { code: 'sandbox_failure', by: 'upstream' }),
    );
}

/** Failures that leave nothing of an answer, after the pause before its head. */
function* opening({ behaviour, codec, requestId }: Giving, form: 'whole' | 'sse'): Iterable<Step> {
  const failed = failedSteps(behaviour.trouble, { codec, requestId, form, lineEnd: '\n' });
  yield* wait(behaviour.pace.headMs);
  if (failed) yield* failed;
}

const isFailed = ({ trouble }: Behaviour): boolean => trouble !== undefined && !isMid(trouble);

/** How long work takes that is no task. */
function workMs({ pace, work }: Behaviour, pieces: number): number {
  return work.takesMs ?? pace.firstMs + pace.betweenMs * Math.max(0, pieces - 1);
}

/** A whole answer, after the time that it takes. `make` is called when that is over. */
export function* giveWhole(giving: Giving, make: () => string | Buffer, contentType = JSON_TYPE, pieces = 1): Iterable<Step> {
  const { behaviour } = giving;
  yield* opening(giving, 'whole');
  if (isFailed(behaviour)) return;
  yield* wait(workMs(behaviour, pieces));
  // Without an end the answer never comes.
  if (behaviour.work.end === 'stuck') return;
  yield* bodySteps(Buffer.from(make()), contentType, pieces, behaviour.trouble, giving);
}

/** JSON. */
export const giveJson = (giving: Giving, make: () => object, pieces = 1): Iterable<Step> =>
  giveWhole(giving, () => JSON.stringify(make()), JSON_TYPE, pieces);

/** Bytes that come piece by piece, or events of a stream. */
interface Flow {
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status?: number;
  readonly form: 'whole' | 'sse';
  readonly pieces: Iterable<Buffer>;
}

/** What comes piece by piece, in its time, until it ends or fails as it was asked to. */
export function* giveFlow(giving: Giving, { contentType, headers = {}, status = 200, form, pieces }: Flow): Iterable<Step> {
  const { behaviour, codec, requestId } = giving;
  const { pace, work } = behaviour;
  yield* opening(giving, form);
  if (isFailed(behaviour)) return;
  const trouble = isMid(behaviour.trouble) ? behaviour.trouble : undefined;
  yield { do: 'head', status, headers: { 'content-type': contentType, ...headers, ...idHeader(requestId) } };
  if (work.end === 'stuck') return;
  let sent = 0;
  for (const bytes of pieces) {
    if (trouble && sent >= Math.max(0, trouble.after)) break;
    yield* wait(sent++ === 0 ? (work.takesMs ?? pace.firstMs) : pace.betweenMs);
    yield { do: 'bytes', bytes };
  }
  if (!trouble) {
    yield { do: 'end' };
  } else if (trouble.kind === 'error' && form === 'sse') {
    yield { do: 'bytes', bytes: errorFrame({ codec, requestId, form, lineEnd: '\n' }) };
    yield { do: 'end' };
    // Bytes of a medium cannot carry an error: the connection says it.
  } else yield* lastWords(trouble.kind === 'error' ? 'reset' : trouble.kind);
}

/** An event of a stream; its name stands before it where the vendor writes it so. */
export interface MediaEvent {
  readonly named?: boolean;
  readonly data: { readonly type: string } & Readonly<Record<string, unknown>>;
}

function* frames(events: Iterable<MediaEvent>): Iterable<Buffer> {
  for (const { named, data } of events) yield Buffer.from(sseText(JSON.stringify(data), named === true ? data.type : undefined));
}

/** A stream of events. */
export const giveEvents = (giving: Giving, events: Iterable<MediaEvent>): Iterable<Step> =>
  giveFlow(giving, { contentType: 'text/event-stream; charset=utf-8', form: 'sse', pieces: frames(events) });
