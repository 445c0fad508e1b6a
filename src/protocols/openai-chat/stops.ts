import { type Fault, gatewayFault, type Json, type Stop, type StopReason, wordTable } from '../../ir/index.ts';

/** Words seen in `finish_reason`, OpenAI's first. Others are `other`, with the word kept. */
const REASONS: Readonly<Record<string, StopReason>> = wordTable({
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'content-filter',
  // Mistral, and servers of open models.
  model_length: 'length',
  max_tokens: 'length',
  eos: 'stop',
  eos_token: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop-sequence',
  tool_use: 'tool-calls',
  tool_call: 'tool-calls',
  sensitive: 'content-filter',
  refusal: 'refusal',
});

/** Words that say that the answer was broken off by the provider: no end, but a fault. */
const BROKEN: Readonly<Record<string, string>> = wordTable({
  insufficient_system_resource: 'The upstream broke the answer off for lack of resources',
  network_error: 'The upstream broke the answer off: a network error of its own',
  error: 'The upstream broke the answer off',
});

/** The fault that a finish word stands for; `undefined` when it is an end. */
export function brokenOff(word: Json | undefined): Fault | undefined {
  const message = typeof word === 'string' ? BROKEN[word] : undefined;
  return message === undefined ? undefined : gatewayFault('upstream', message, { by: 'upstream', code: 'upstream_broke_off' });
}

/**
 * Reads `finish_reason`. `stop` beside tool calls is what a forced function gives (OpenAI): then it is the calls.
 * Without a word, what is there decides.
 */
export function decodeStop(word: Json | undefined, toolCall: boolean): Stop {
  const raw = typeof word === 'string' && word !== '' ? word : undefined;
  const reason = raw === undefined ? 'stop' : (REASONS[raw] ?? 'other');
  const meant = toolCall && reason === 'stop' ? 'tool-calls' : reason;
  return { reason: meant, ...(raw === undefined ? {} : { raw }) };
}

const WORDS: Readonly<Record<StopReason, string>> = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'stop-sequence': 'stop',
  'content-filter': 'content_filter',
  refusal: 'content_filter',
  pause: 'stop',
  'context-exceeded': 'length',
  'malformed-tool-call': 'stop',
  other: 'stop',
};

/** The word for a client: clients run tools only after `tool_calls` (or, asked in the old way, `function_call`). */
export function encodeStop(stop: Stop, toolCall: boolean, legacy: boolean): string {
  const word = toolCall && (stop.reason === 'stop' || stop.reason === 'other') ? 'tool_calls' : WORDS[stop.reason];
  return word === 'tool_calls' && legacy ? 'function_call' : word;
}
