import { badField, type Json, type JsonObject, missingField } from '../../../ir/index.ts';
import type { AttemptEnd } from '../../../exchange/call.ts';
import type { MediaCall, MediaContext } from '../../../exchange/media/media-exchange.ts';
import { answerMedia } from '../../../exchange/once/answer-media.ts';
import { askedIn } from '../../../exchange/once/request-key.ts';
import { moderate, writeModerations } from '../../../exchange/media/moderations.ts';
import { relay } from '../../../exchange/media/relay.ts';
import type { Writing } from '../../../exchange/media/writing.ts';
import { parseBody } from '../../../exchange/write-request.ts';
import type { ModerationInput, ModerationsReply, ModerationsRequest } from '../../../media/moderations/shape.ts';
import { objectAt, unknownMembers, wrongKind } from '../../../wire/fields.ts';
import { fingerprintOf, onlyOnce } from '../idempotency.ts';
import { modelOf } from '../read-call.ts';
import { whileAlive } from '../stay-alive.ts';
import type { MediaEndpoint } from './endpoint.ts';
import { mediaCall, readScanned } from './read-json.ts';
import { readOnce } from './read-once.ts';

/** The model of a request that names none. https://platform.openai.com/docs/api-reference/moderations/create */
const USUAL_MODEL = 'omni-moderation-latest';

const KNOWN: ReadonlySet<string> = new Set(['model', 'input']);

const MAX_INPUTS = 1000;

/** OpenAI's `input`: a text, a list of texts, or a list of parts that are judged together. */
function inputsOf(input: Json | undefined): readonly ModerationInput[] {
  if (input === undefined || input === null) throw missingField('input');
  if (typeof input === 'string') return [{ kind: 'text', text: input }];
  if (!Array.isArray(input)) throw wrongKind('input', 'a string, a list of strings or a list of parts', input);
  if (input.length === 0) throw badField('input', "Invalid request: 'input' must hold at least one text");
  if (input.length > MAX_INPUTS)
    throw badField('input', `Invalid request: 'input' holds ${input.length} inputs, at most ${MAX_INPUTS} are taken`);
  if (typeof input[0] !== 'string') {
    const parts = input.map((one: Json, index) => objectAt(one, `input[${index}]`));
    return [{ kind: 'parts', parts }];
  }
  return input.map((one: Json, index) => {
    if (typeof one !== 'string') throw wrongKind(`input[${index}]`, 'a string', one);
    return { kind: 'text', text: one };
  });
}

function writeReply(id: string, model: string, reply: ModerationsReply): JsonObject {
  return {
    id: reply.id ?? id,
    model: reply.model ?? model,
    results: reply.results.map(({ flagged, categories, scores, appliedTypes }) => ({
      flagged,
      categories,
      category_scores: scores,
      ...(appliedTypes === undefined ? {} : { category_applied_input_types: appliedTypes }),
    })),
  };
}

/** What a body asks of a target that speaks another dialect. */
function readFor({ notes }: Pick<Writing, 'notes'>, body: JsonObject): ModerationsRequest {
  const asked: ModerationsRequest = { inputs: inputsOf(body['input']) };
  for (const name of Object.keys(unknownMembers(body, KNOWN)))
    notes.add(name, 'dropped', 'not known here, and the target speaks another dialect');
  return asked;
}

/** POST /v1/moderations. The bytes pass to a provider that speaks OpenAI's dialect, where the body names the model. */
export const moderationsEndpoint: MediaEndpoint = async (visit, operation, request, ports) => {
  const scanned = await readScanned(visit, request);
  const named = scanned.scan.values.has('model') ? modelOf(scanned) : undefined;
  const told = readOnce(() => parseBody(scanned.body));
  const passes = ({ media }: Pick<Writing, 'media'>): boolean => named !== undefined && media.wire.codec === 'openai';
  const call: MediaCall = {
    ...mediaCall(visit, operation, { ...scanned, fields: { model: named ?? USUAL_MODEL }, bytes: scanned.body.length }, told),
    write(writing) {
      if (!passes(writing)) writeModerations(writing, readFor(writing, told()));
    },
    isRepeatable: true,
    stream: false,
  };
  const work = async (context: MediaContext): Promise<AttemptEnd | undefined> => {
    if (passes(context)) return relay(context, { ...scanned, path: '/moderations' });
    const reply = await moderate(context, readFor(context, parseBody(scanned.body)));
    context.reply(writeReply(ports.newId('modr-'), context.model, reply));
    return undefined;
  };
  const once = (): Promise<unknown> =>
    onlyOnce(visit, ports, {
      fingerprint: () => fingerprintOf(visit, [scanned.body, JSON.stringify(scanned.routing ?? null)]),
      about: { operation: operation.ability, asked: call.model },
      work: (within) => answerMedia(call, within.sink, ports, { meaning: () => askedIn(parseBody(scanned.body)), work }),
    });
  await whileAlive(visit, 'whole', ports, once);
};
