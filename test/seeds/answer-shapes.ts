import type { Shape } from './shape.ts';

const usage: Shape = { prompt_tokens: 'integer', completion_tokens: 'integer', total_tokens: 'integer' };

/** Chat, whole: documents 000, 002 and 003 show the same. */
export const chatReply: Shape = {
  id: 'text',
  object: '=chat.completion',
  created: 'integer',
  model: 'text',
  choices: [{ index: '=0', message: { role: '=assistant', content: 'text' }, finish_reason: '=stop' }],
  usage,
};

/** Document 002 shows a fingerprint too. */
export const chatReplyWithFingerprint: Shape = { ...chatReply, system_fingerprint: 'text' };

/** One chunk of a chat stream. */
export const chatChunk: Shape = {
  id: 'text',
  object: '=chat.completion.chunk',
  created: 'integer',
  model: 'text',
  choices: [{ index: '=0', delta: 'object', finish_reason: 'null|string' }],
};

/** Gemini, whole and as one element of a stream. https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse */
export const geminiReply: Shape = {
  candidates: [{ content: { role: '=model', parts: [{ text: 'text' }] }, finishReason: '=STOP', index: 'integer' }],
  usageMetadata: { promptTokenCount: 'integer', candidatesTokenCount: 'integer', totalTokenCount: 'integer' },
  modelVersion: 'text',
  responseId: 'text',
};

/** https://docs.claude.com/en/api/messages */
export const messagesReply: Shape = {
  id: 'text',
  type: '=message',
  role: '=assistant',
  model: 'text',
  content: [{ type: '=text', text: 'text' }],
  stop_reason: '=end_turn',
  stop_sequence: 'null',
  usage: { input_tokens: 'integer', output_tokens: 'integer' },
};

/** https://platform.openai.com/docs/api-reference/responses/object */
export const responsesReply: Shape = {
  id: 'text',
  object: '=response',
  created_at: 'integer',
  status: '=completed',
  model: 'text',
  output: [{ id: 'text', type: '=message', role: '=assistant', status: '=completed', content: [{ type: '=output_text', text: 'text' }] }],
  usage: { input_tokens: 'integer', output_tokens: 'integer', total_tokens: 'integer' },
};

/** Document 002's error format. */
export const missingModel: Shape = {
  error: {
    message: "=Invalid request: missing required parameter 'model'",
    type: '=invalid_request_error',
    param: '=model',
    code: '=missing_parameter',
  },
};

/** Document 001's embeddings: one vector a request. https://ai.google.dev/api/embeddings */
export const geminiEmbeddings: Shape = { embeddings: [{ values: ['number'] }] };

/** Document 002's embeddings. */
export const embeddingsReply: Shape = {
  object: '=list',
  data: [{ object: '=embedding', embedding: ['number'], index: 'integer' }],
  model: 'text',
  usage: { prompt_tokens: 'integer', total_tokens: 'integer' },
};

/** Document 002's rerank: documents come back as they were sent. */
export const rerankReply: Shape = {
  id: 'text',
  results: [{ index: 'integer', score: 'number', document: 'text' }],
  model: 'text',
  usage: { total_tokens: 'integer' },
};
