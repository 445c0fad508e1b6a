import type { FactChanges } from '../../ir/index.ts';
import type { Protocol } from '../protocol.ts';
import { DIALECT } from './dialect.ts';
import { decodeFault, encodeFault } from '../openai-error.ts';
import { faultFrame } from './faults.ts';
import { decodeReply } from './reply-decode.ts';
import { encodeReply } from './reply-encode.ts';
import { decodeRequest } from './request-decode.ts';
import { encodeRequest } from './request-encode.ts';
import { createStreamDecoder } from './stream-decode.ts';
import { createStreamEncoder } from './stream-encode.ts';
import { tap } from './tap.ts';

/** What the wire takes; providers and models differ in nearly all of it (presets). */
const facts: FactChanges = {
  toolId: { max: 64, charset: 'any' },
  // `file_data` is bytes; some providers take an address there too.
  media: { image: 'url-and-bytes', document: 'bytes', audio: 'bytes', video: 'none' },
};

/** OpenAI Chat Completions: `/v1/chat/completions`. https://platform.openai.com/docs/api-reference/chat */
export const openaiChat: Protocol = {
  id: DIALECT,
  facts,
  path: () => '/chat/completions',
  decodeRequest,
  encodeRequest,
  decodeReply,
  encodeReply,
  streamDecoder: createStreamDecoder,
  streamEncoder: createStreamEncoder,
  decodeFault,
  encodeFault,
  faultFrame,
  keepAlive: ': keep-alive\n\n',
  terminator: '[DONE]',
  tap,
};
