import type { FactChanges } from '../../ir/index.ts';
import type { Protocol } from '../protocol.ts';
import { DIALECT } from './dialect.ts';
import { decodeFault, encodeFault, faultFrame } from './faults.ts';
import { decodeReply } from './reply-decode.ts';
import { encodeReply } from './reply-encode.ts';
import { decodeRequest } from './request-decode.ts';
import { encodeRequest } from './request-encode.ts';
import { createStreamDecoder } from './stream-decode.ts';
import { createStreamEncoder } from './stream-encode.ts';
import { tap } from './tap.ts';

/** What the wire takes; models and providers differ in `reasoningControl`, `sampling`, `hostedTools` and more (presets). */
const facts: FactChanges = {
  toolId: { max: 64, charset: 'word' },
  maxTemperature: 1,
  topK: true,
  temperatureWithTopP: false,
  penalties: false,
  seed: false,
  logprobs: false,
  n: false,
  maxStop: 8191,
  reasoningControl: 'budget',
  efforts: ['none', 'low', 'medium', 'high', 'xhigh', 'max'],
  media: { image: 'url-and-bytes', document: 'url-and-bytes', audio: 'none', video: 'none' },
  mediaInToolResults: true,
  cacheControl: true,
  includeUsage: false,
  store: false,
};

/** Anthropic Messages: `/v1/messages`. https://docs.claude.com/en/api/messages */
export const anthropicMessages: Protocol = {
  id: DIALECT,
  textUnsealed: true,
  facts,
  path: () => '/messages',
  decodeRequest,
  encodeRequest,
  decodeReply,
  encodeReply,
  streamDecoder: createStreamDecoder,
  streamEncoder: createStreamEncoder,
  decodeFault,
  encodeFault,
  faultFrame,
  keepAlive: 'event: ping\ndata: {"type": "ping"}\n\n',
  tap,
};
