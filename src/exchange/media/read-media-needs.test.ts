import { describe, expect, it } from 'vitest';
import type { Ability, JsonObject } from '../../ir/index.ts';
import { readMediaNeeds } from './read-media-needs.ts';

/** So many tokens as they are counted here. */
const text = (tokens: number): string => 'word'.repeat(tokens);
const BYTES = 'A'.repeat(4000);
const IMAGE = { inlineData: { mimeType: 'image/png', data: BYTES } };

type Row = readonly [name: string, ability: Ability, body: object, tokens: number, abilities?: readonly string[]];
const ROWS: readonly Row[] = [
  ['one text', 'embeddings', { input: text(9) }, 9],
  ['texts, by the longest', 'embeddings', { input: [text(3), text(9), text(5)] }, 9],
  ['tokens', 'embeddings', { input: [1, 2, 3, 4] }, 4],
  ['lists of tokens, by the longest', 'embeddings', { input: [[1, 2], [1, 2, 3], [1]] }, 3],
  ['Gemini’s content', 'embeddings', { content: { parts: [{ text: text(2) }, { text: text(3) }] } }, 5],
  [
    'Gemini’s requests',
    'embeddings',
    { requests: [{ content: { parts: [{ text: text(2) }] } }, { content: { parts: [{ text: text(7) }] } }] },
    7,
  ],
  ['Vertex’ instances', 'embeddings', { instances: [{ content: text(2) }, { content: text(6) }] }, 6],
  ['an image among vectors', 'embeddings', { content: { parts: [{ text: text(2) }, IMAGE] } }, 2, ['vision']],
  ['texts and pictures, each by itself', 'embeddings', { input: [{ text: text(3) }, { image: BYTES }, { text: text(5) }] }, 5],
  ['a picture in place of a text', 'embeddings', { input: [text(3), `data:image/png;base64,${BYTES}`] }, 3],
  [
    'content of parts',
    'embeddings',
    {
      input: [
        {
          content: [
            { type: 'text', text: text(4) },
            { type: 'image_base64', image_base64: BYTES },
          ],
        },
      ],
    },
    4,
  ],
  ['nothing', 'embeddings', {}, 0],
  ['texts that are judged apart', 'moderations', { input: [text(3), text(9)] }, 9],
  [
    'parts that are judged together',
    'moderations',
    {
      input: [
        { type: 'text', text: text(3) },
        { type: 'text', text: text(4) },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${BYTES}` } },
      ],
    },
    7,
    ['vision'],
  ],
  ['a query with the longest document', 'rerank', { query: text(4), documents: [text(2), { text: text(8), id: text(50) }] }, 12],
  ['pictures that are ranked', 'rerank', { query: text(4), documents: [{ image: BYTES }, { text: text(2) }] }, 6],
  ['a query by Jina', 'rerank', { query: { text: text(4) }, documents: [text(2)] }, 6],
  ['documents that are cut', 'rerank', { query: text(4), documents: [text(90)], max_tokens_per_doc: 10 }, 14],
  ['no list of documents', 'rerank', { query: text(4), documents: 7 }, 4],
  ['what is spoken, and how', 'speech', { input: text(5), instructions: text(2), voice: text(30) }, 7],
  ['Gemini’s speech', 'speech', { contents: [{ parts: [{ text: text(5) }] }], generationConfig: { speechConfig: text(9) } }, 5],
  ['a prompt', 'images', { prompt: text(6), user: text(9) }, 6],
  ['an image that is changed', 'image-edits', { prompt: text(6), image: BYTES }, 6],
  ['Imagen’s instances', 'images', { instances: [{ prompt: text(6), image: { bytesBase64Encoded: BYTES } }] }, 6],
  ['a film', 'videos', { prompt: text(6), negative_prompt: text(2), input_reference: BYTES }, 8],
  ['a hint to who listens', 'transcription', { prompt: text(3), file: BYTES }, 3],
];

describe('what a call besides chat needs', () => {
  const rows = ROWS.map(([name, ability, body, tokens, abilities = []]) => ({ name, ability, body, tokens, abilities }));
  it.each(rows)('$name', ({ ability, body, tokens, abilities }) => {
    expect(readMediaNeeds(ability, body as JsonObject)).toEqual({ abilities, tokens });
  });
});
