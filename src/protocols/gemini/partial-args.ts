import { isObject, type Json, type JsonObject } from '../../ir/index.ts';
import { normal, objects, str } from './dialect.ts';

/*
 * Arguments of a call that come in pieces (Vertex, `streamFunctionCallArguments`): each names its place by a JSON path and
 * brings a value, or more of a text. https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling
 */

type Step = string | number;
type Target = Record<string, Json> | Json[];

/** More steps than this are no path of a tool's arguments. */
const MAX_STEPS = 32;
const MAX_INDEX = 10_000;
const STEP = /\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/y;

/** `$.a.b[0]['c']` as its steps; `undefined` when it is no path. */
function stepsOf(path: string): readonly Step[] | undefined {
  if (!path.startsWith('$')) return undefined;
  const steps: Step[] = [];
  STEP.lastIndex = 1;
  while (STEP.lastIndex < path.length) {
    const match = STEP.exec(path);
    if (!match || steps.length >= MAX_STEPS) return undefined;
    const [, name, index, single, double] = match;
    steps.push(index === undefined ? (name ?? single ?? double ?? '') : Number(index));
  }
  return steps.every((step) => step !== '__proto__' && (typeof step === 'string' || step < MAX_INDEX)) ? steps : undefined;
}

const isTarget = (value: Json | undefined): value is Target & Json => typeof value === 'object' && value !== null;

const read = (from: Target, step: Step): Json | undefined =>
  Object.hasOwn(from, step) ? (from as Record<Step, Json | undefined>)[step] : undefined;

function put(root: Record<string, Json>, steps: readonly Step[], valueOf: (before: Json | undefined) => Json): void {
  let at: Target = root;
  for (const [index, step] of steps.entries()) {
    const next = steps[index + 1];
    const here = read(at, step);
    if (next === undefined) {
      (at as Record<Step, Json>)[step] = valueOf(here);
      return;
    }
    const inner: Json = isTarget(here) ? here : typeof next === 'number' ? [] : {};
    (at as Record<Step, Json>)[step] = inner;
    at = inner as Target;
  }
}

function valueIn(piece: JsonObject): { readonly text?: string; readonly value?: Json } {
  if (typeof piece['stringValue'] === 'string') return { text: piece['stringValue'] };
  if (typeof piece['numberValue'] === 'number') return { value: piece['numberValue'] };
  if (typeof piece['boolValue'] === 'boolean') return { value: piece['boolValue'] };
  return 'nullValue' in piece ? { value: null } : {};
}

/** A call whose arguments are still coming. */
export interface PartialArgs {
  add(pieces: Json | undefined): void;
  readonly value: JsonObject;
}

export function createPartialArgs(): PartialArgs {
  const root: Record<string, Json> = {};
  return {
    add(pieces) {
      for (const raw of objects(pieces)) {
        const piece = normal(raw);
        const steps = stepsOf(str(piece['jsonPath']));
        const { text, value } = valueIn(raw['nullValue'] === undefined ? piece : { ...piece, nullValue: null });
        if (!steps || steps.length === 0) continue;
        if (text !== undefined) put(root, steps, (before) => (typeof before === 'string' ? before + text : text));
        else if (value !== undefined) put(root, steps, () => value);
      }
    },
    value: root,
  };
}

/** Whether a call comes in pieces. */
export const isPartial = (call: JsonObject): boolean =>
  call['partialArgs'] !== undefined ||
  call['willContinue'] !== undefined ||
  call['partial_args'] !== undefined ||
  call['will_continue'] !== undefined;

/** Whether a call is the empty one that ends a call in pieces. */
export const isClosing = (call: JsonObject): boolean => !isObject(call['args']) && str(call['name']) === '' && !isPartial(call);
