import { GatewayError, gatewayFault, type Note, type Notes } from '../ir/index.ts';
import type { Call } from './call.ts';

/**
 * What notes call things that are no parameters of a request: pieces of a conversation, which may come from another maker and then
 * could go on nowhere, hints, and words about who asks.
 */
const NO_PARAMETERS: ReadonlySet<string> = new Set([
  'messages',
  'input',
  'instructions',
  'name',
  'detail',
  'media',
  'native',
  'citations',
  'hosted-call',
  'hosted-result',
  'tool_result.is_error',
  // Thoughts that are not taken back, too; whether a target thinks at all is asked before (`policy/needs.ts`).
  'reasoning',
  'cache_control',
  'prompt_cache_key',
  'user',
  'safety_identifier',
  'metadata',
  'usage',
  'transforms',
]);

type Losing = Pick<Call, 'strict' | 'routing'>;

/** Whether a note says that a parameter is left out. */
const isLost = ({ field, what }: Note): boolean => what === 'dropped' && !field.startsWith('provider.') && !NO_PARAMETERS.has(field);

/** Parameters that are named in a decision at most, for each target. */
const MAX_NAMED = 8;

/** Characters of such names in one decision, which is kept with its call's record. */
const MAX_NAMED_CHARACTERS = 512;

/** A parameter as decisions name it: clients make names up, and a list of reasons must stay one. */
export const parameterName = (field: string): string => field.replaceAll(/[^\w.[\]-]+/g, '_').slice(0, 64) || '_';

/** What of notes says that parameters were left out: their names, as decisions have them. */
export const lostParameters = ({ list }: Notes): readonly string[] =>
  list
    .filter(isLost)
    .slice(0, MAX_NAMED)
    .map(({ field }) => parameterName(field));

/** Bounds the names of all targets of a decision together: past that a target has a mark (`_`) in place of its names. */
export function namesInAll(): (names: readonly string[]) => readonly string[] {
  let left = MAX_NAMED_CHARACTERS;
  return (names) => {
    const kept = names.filter((name) => (left = Math.max(0, left - name.length)) > 0);
    return kept.length > 0 ? kept : names.slice(0, 1).map(() => '_');
  };
}

/**
 * Who asked that nothing be lost, and what is: what is emulated is not, nor is where a conversation goes, and `provider.require_parameters`
 * is of parameters alone.
 */
function lossesOf({ strict, routing }: Losing, notes: Notes): readonly [asked: string, losses: readonly Note[]] {
  if (strict) return ['strict', notes.list.filter(({ what, field }) => what !== 'emulated' && !field.startsWith('affinity.'))];
  const losses = routing?.asks.prefers?.requireParameters === true ? notes.list : [];
  return ['provider.require_parameters', losses.filter(isLost)];
}

/** `strict`, `provider.require_parameters`: what would be lost is a refusal (400) that names it all; another target may be tried. */
export function refuseLosses(call: Losing, notes: Notes): void {
  const [asked, losses] = lossesOf(call, notes);
  const [first] = losses;
  if (!first) return;
  const all = losses.map((note) => `${note.field}: ${note.what} (${note.why})`).join('; ');
  throw new GatewayError(
    gatewayFault(
      'bad_request',
      `The target cannot express the request as it was sent, and '${asked}' was asked for: ${all.slice(0, 1000)}`,
      {
        param: first.field,
        code: 'not_expressible',
      },
    ),
  );
}
