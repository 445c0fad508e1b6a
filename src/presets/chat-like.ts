import type { FactChanges } from '../ir/index.ts';
import { developerAsSystem, rename } from './quirks.ts';

/** What makers of servers that copy OpenAI's chat leave out, unless their documentation says otherwise. */
export const CHAT_LIKE: FactChanges = {
  developerRole: false,
  strictTools: false,
  store: false,
  metadata: false,
  media: { image: 'url-and-bytes', document: 'none', audio: 'none', video: 'none' },
};

/** For wires that know only the older name of the maximum. */
const olderMaximum = rename('max_completion_tokens', 'max_tokens');

/** What nearly every such wire needs of a client that writes for OpenAI's newest models. */
export const CHAT_LIKE_QUIRKS = [developerAsSystem, olderMaximum];

/** Servers that answer Anthropic's dialect for models that are not Claude: no cache marks to pay for, no hosted tools. */
export const MESSAGES_LIKE: FactChanges = {
  strictTools: false,
  temperatureWithTopP: true,
  reasoningControl: 'budget',
  efforts: ['none', 'low', 'medium', 'high'],
  media: { image: 'url-and-bytes', document: 'none', audio: 'none', video: 'none' },
  output: 'none',
};

/** Servers that answer OpenAI's Responses for models of others: stateless, function tools only. */
export const RESPONSES_LIKE: FactChanges = {
  developerRole: false,
  strictTools: false,
  store: false,
  metadata: false,
  media: { image: 'url-and-bytes', document: 'none', audio: 'none', video: 'none' },
};

/** The header without which some servers do not take a request for Anthropic's dialect. */
export const ANTHROPIC_VERSION = { 'anthropic-version': '2023-06-01' } as const;
