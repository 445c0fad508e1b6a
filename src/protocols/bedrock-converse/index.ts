import type { FactChanges } from '../../ir/index.ts';
import type { ProviderCodec, Tapped } from '../protocol.ts';
import { DIALECT } from './dialect.ts';
import { decodeFault } from './faults.ts';
import { decodeReply } from './reply-decode.ts';
import { encodeRequest } from './request-encode.ts';
import { createStreamDecoder } from './stream-decode.ts';

/** What the wire takes of every model; models differ in `reasoningControl`, `cacheControl`, `media` and more (presets). */
const facts: FactChanges = {
  toolId: { max: 64, charset: 'word' },
  maxTemperature: 1,
  topK: false,
  penalties: false,
  seed: false,
  logprobs: false,
  n: false,
  maxStop: 2500,
  parallelToolCalls: false,
  strictTools: false,
  output: 'none',
  reasoningControl: 'none',
  efforts: [],
  media: { image: 'bytes', document: 'bytes', audio: 'none', video: 'bytes' },
  mediaInToolResults: true,
  cacheControl: false,
  includeUsage: false,
  store: false,
};

const nothing: Tapped = { done: false, finished: false };

/** Amazon Bedrock's Converse and ConverseStream: no client speaks it, so it is always translated and never tapped. */
export const bedrockConverse: ProviderCodec = {
  id: DIALECT,
  facts,
  path: (model, stream) => `/model/${encodeURIComponent(model)}/${stream ? 'converse-stream' : 'converse'}`,
  encodeRequest,
  decodeReply,
  streamDecoder: createStreamDecoder,
  decodeFault,
  tap: { needles: [], first: false, read: (_frame, soFar) => soFar, whole: () => nothing },
};
