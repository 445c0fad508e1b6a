import type { ModerationsReply } from '../../../src/media/moderations/shape.ts';
import type { WholeRow } from './media-row.ts';

/** What a wire for moderations is held to. Each is asked about two texts. */
export interface ModerationsRow extends WholeRow {
  readonly ability: 'moderations';
  readonly says: ModerationsReply;
}

export const TEXTS: readonly string[] = ['Have a good day', 'I will hit you'];

const BEARER = { authorization: 'Bearer k' };

const OPENAI = {
  reply: {
    id: 'modr-1',
    model: 'omni-moderation-2024-09-26',
    results: [
      { flagged: false, categories: { violence: false }, category_scores: { violence: 0.001 } },
      {
        flagged: true,
        categories: { violence: true },
        category_scores: { violence: 0.97 },
        category_applied_input_types: { violence: ['text'] },
      },
    ],
  },
  says: {
    id: 'modr-1',
    model: 'omni-moderation-2024-09-26',
    results: [
      { flagged: false, categories: { violence: false }, scores: { violence: 0.001 } },
      { flagged: true, categories: { violence: true }, scores: { violence: 0.97 }, appliedTypes: { violence: ['text'] } },
    ],
  },
  refusal: {
    status: 400,
    body: { error: { message: 'Invalid value', type: 'invalid_request_error', param: 'input', code: null } },
    kind: 'bad_request',
    message: 'Invalid value',
  },
} as const;

export const MODERATIONS_ROWS: readonly ModerationsRow[] = [
  {
    preset: 'openai',
    ability: 'moderations',
    page: 'https://platform.openai.com/docs/api-reference/moderations/create',
    model: 'omni-moderation-latest',
    url: 'https://api.openai.com/v1/moderations',
    headers: BEARER,
    body: { model: 'omni-moderation-latest', input: TEXTS },
    ...OPENAI,
  },
  {
    preset: 'openai-compatible',
    ability: 'moderations',
    page: 'https://platform.openai.com/docs/api-reference/moderations/create',
    settings: { baseUrl: 'http://127.0.0.1:9000/v1' },
    model: 'any',
    url: 'http://127.0.0.1:9000/v1/moderations',
    headers: BEARER,
    body: { model: 'any', input: TEXTS },
    ...OPENAI,
  },
  {
    preset: 'mistral',
    ability: 'moderations',
    page: 'https://docs.mistral.ai/api/endpoint/classifiers',
    model: 'mistral-moderation-latest',
    url: 'https://api.mistral.ai/v1/moderations',
    headers: BEARER,
    body: { model: 'mistral-moderation-latest', input: TEXTS },
    reply: {
      id: 'mod-1',
      model: 'mistral-moderation-2411',
      usage: { prompt_tokens: 9, total_tokens: 9, completion_tokens: 0 },
      results: [
        { categories: { violence_and_threats: false, pii: false }, category_scores: { violence_and_threats: 0.001, pii: 0 } },
        { categories: { violence_and_threats: true, pii: false }, category_scores: { violence_and_threats: 0.97, pii: 0 } },
      ],
    },
    // The sum is ours, and so are OpenAI's names beside Mistral's.
    says: {
      id: 'mod-1',
      model: 'mistral-moderation-2411',
      usage: { input: 9, output: 0 },
      results: [
        {
          flagged: false,
          categories: { violence: false, violence_and_threats: false, pii: false },
          scores: { violence: 0.001, violence_and_threats: 0.001, pii: 0 },
        },
        {
          flagged: true,
          categories: { violence: true, violence_and_threats: true, pii: false },
          scores: { violence: 0.97, violence_and_threats: 0.97, pii: 0 },
        },
      ],
    },
    refusal: {
      status: 422,
      body: { detail: [{ loc: ['body', 'input'], msg: 'Field required' }] },
      kind: 'bad_request',
      message: 'input: Field required',
    },
  },
];
