import type { Note, ProtocolId, StopReason } from '../../src/ir/index.ts';

/** What a client's dialect can say of why a reply ended: words that it lacks come back as the nearest one. */
const STOPS: { readonly [P in ProtocolId]?: { readonly [S in StopReason]?: StopReason } } = {
  'openai-chat': {
    'stop-sequence': 'stop',
    pause: 'stop',
    refusal: 'content-filter',
    'context-exceeded': 'length',
    'malformed-tool-call': 'stop',
    other: 'stop',
  },
  'openai-responses': {
    'stop-sequence': 'stop',
    pause: 'stop',
    refusal: 'content-filter',
    'context-exceeded': 'length',
    'malformed-tool-call': 'stop',
    other: 'stop',
  },
  'anthropic-messages': { 'content-filter': 'refusal', 'malformed-tool-call': 'stop', other: 'stop' },
  gemini: { 'stop-sequence': 'stop', pause: 'stop', refusal: 'content-filter', 'context-exceeded': 'length' },
};

/** The stop reason that a client of this dialect can be told. */
export const expectedStop = (client: ProtocolId, stop: StopReason): StopReason => STOPS[client]?.[stop] ?? stop;

/** The text that a client of this dialect can be told. */
export const expectedText = (_client: ProtocolId, text: string): string => text;

/** Which note answers for the loss of which part of a request. */
const NOTED: readonly (readonly [string, RegExp])[] = [
  ['system', /system|instructions|messages|developer/],
  ['user.text', /messages|contents|input|tool/],
  ['assistant.text', /messages|contents|input|refusal/],
  ['calls', /tool|messages|input|contents/],
  ['results', /tool|messages|input|contents/],
  ['media', /media|image|document|file|content|tool|input|messages/],
  ['tools', /tool/],
  ['tools.hosted', /tool/],
  ['tool_choice', /tool_?choice|toolConfig/i],
  ['output', /format|output|response/i],
  ['max_tokens', /max/i],
  ['temperature', /temperature|thinking|reasoning/],
  ['top_p', /top_?p|thinking|reasoning/i],
  ['stop', /stop/i],
];

/** Whether a difference is one that was said out loud. */
export function allowedLoss(field: string, _before: string, _after: string | undefined, notes: readonly Note[]): boolean {
  const pattern = NOTED.find(([name]) => name === field)?.[1];
  return pattern !== undefined && notes.some((note) => pattern.test(note.field));
}
