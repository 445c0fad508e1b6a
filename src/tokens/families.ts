import type { Family } from './family.ts';
import { claudePatches, tiles } from './image-tokens.ts';

/**
 * Claude's tokenizers are not public. Its text is weighed against o200k: prose takes 1.0 to 1.32 of it in the recorded counts, by
 * its share of markup. Thinking adds a prompt; so do tools, another one when a tool must be called.
 */
const CLAUDE: Family['weights'] = {
  request: 5.5,
  turns: 3,
  systemTurns: -5,
  prefill: -5,
  thinking: 27.5,
  'prose.tokens': 1.21,
  'prose.foreign': 0.25,
  'thought.tokens': 1.1,
  'tool.tokens': 1.48,
  calls: 10,
  'call.tokens': 2,
  results: 44,
  'result.tokens': 1.1,
  schemas: 103,
  'schema.tokens': 2,
  documents: 12,
};

const CLAUDE_WAYS = {
  encoding: 'o200k',
  tools: 'json',
  // https://docs.claude.com/en/docs/build-with-claude/vision#evaluate-image-size
  image: claudePatches(1568, 1600),
  refuses: ['serial', 'scripts'],
  // Clouds that offer Claude in OpenAI's protocol have prompts of their own for output schemas.
  refusesOver: { 'openai-chat': ['schemas'] },
} as const satisfies Partial<Family>;

/** The public tokenizers of OpenAI, and what each message costs. https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken */
const OPENAI: Family['weights'] = {
  request: 3.2,
  turns: 4,
  'prose.tokens': 1.04,
  'thought.tokens': 1.04,
  'call.tokens': 1.04,
  'result.tokens': 1.1,
  'tool.tokens': 1.1,
  'schema.tokens': 0.9,
};

/** Chat puts a longer prompt before their tools than Responses. */
const GPT_5 = {
  models: /^gpt-5(?:-(?:mini|nano|pro))?(?:-\d{4}-\d{2}-\d{2})?$/,
  encoding: 'o200k',
  tools: 'typescript',
  weights: { ...OPENAI, request: 2, turns: 4.6, instructions: 3, schemas: 7.3, 'prose.tokens': 1.02, results: 9 },
  refuses: ['documents', 'serial', 'seals', 'thoughts'],
} as const satisfies Partial<Family>;

/** Families in the order in which they are looked for. Models without recorded counts are in none: nobody knows that a count would hold. */
export const families: readonly Family[] = [
  {
    ...CLAUDE_WAYS,
    name: 'Claude 4.5, 4.6',
    models: /claude-(?:sonnet|opus|haiku)-4-[56](?![0-9])(?!.*:thinking)/,
    weights: { ...CLAUDE, hasTools: 477, forced: 91 },
  },
  {
    ...CLAUDE_WAYS,
    name: 'Claude 4.0, 4.1',
    models: /claude-(?:sonnet|opus)-4(?:-[01])?(?:$|[@:]|-\d{8}|-v\d)/,
    weights: { ...CLAUDE, hasTools: 303, forced: 56 },
  },
  { ...CLAUDE_WAYS, name: 'Claude 3', models: /claude-3(?!.*:thinking)/, weights: { ...CLAUDE, hasTools: 298, forced: 48 } },
  {
    name: 'gpt-oss',
    models: /gpt-oss/,
    encoding: 'o200k',
    tools: 'typescript',
    weights: {
      ...OPENAI,
      request: 78,
      'prose.tokens': 1.07,
      turns: 5,
      systemTurns: 1,
      hasTools: 11,
      results: 10.5,
      schemas: 72,
      'thought.tokens': 1.33,
      'tool.tokens': 1.2,
      'result.tokens': 1.18,
    },
    refuses: ['documents'],
  },
  {
    name: 'GPT-3.5, GPT-4',
    models: /^gpt-(?:3-5|4(?:$|-\d{3}|-turbo))/,
    encoding: 'cl100k',
    tools: 'typescript',
    weights: { ...OPENAI, hasTools: -4, tools: 10.8, forced: 0.8, results: 6, 'result.tokens': 1.2, 'tool.tokens': 1 },
    refuses: ['documents', 'schemas'],
  },
  {
    name: 'GPT-4o mini',
    models: /^gpt-4o-mini(?!.*audio)/,
    on: 'openai-chat',
    encoding: 'o200k',
    tools: 'typescript',
    weights: { ...OPENAI, hasTools: 11.7, forced: 1.4, results: 13.5, schemas: 11 },
    image: tiles(2833, 5667),
    refuses: ['documents'],
  },
  {
    name: 'GPT-4o, GPT-4.1',
    models: /^gpt-4(?:o|-1)(?!.*(?:audio|mini|nano))/,
    on: 'openai-chat',
    encoding: 'o200k',
    tools: 'typescript',
    weights: { ...OPENAI, hasTools: 11.7, forced: 1.4, results: 13.5, schemas: 11 },
    image: tiles(85, 170),
    refuses: ['documents'],
  },
  {
    name: 'GPT-4.1 mini, nano',
    models: /^gpt-4-1-(?:mini|nano)/,
    on: 'openai-chat',
    encoding: 'o200k',
    tools: 'typescript',
    weights: OPENAI,
    refuses: ['documents', 'tools', 'schemas'],
  },
  { ...GPT_5, name: 'GPT-5, chat', on: 'openai-chat', weights: { ...GPT_5.weights, hasTools: 92, 'tool.tokens': 1.02 } },
  { ...GPT_5, name: 'GPT-5', weights: { ...GPT_5.weights, hasTools: 8.5, 'tool.tokens': 1.02 } },
  {
    name: 'GPT-5.1 and later',
    models: /^(?:openai-)?gpt-5-[1-9]/,
    encoding: 'o200k',
    tools: 'typescript',
    weights: {
      ...OPENAI,
      request: 2,
      turns: 5,
      instructions: 6,
      hasTools: 6.4,
      tools: 4.2,
      forced: -20,
      results: 20,
      schemas: 5,
      'call.tokens': 1.2,
      'result.tokens': 1.2,
      'tool.tokens': 1.2,
    },
    refuses: ['documents', 'seals', 'thoughts'],
  },
  {
    name: 'o3, o4',
    models: /^o[34](?:$|-)/,
    encoding: 'o200k',
    tools: 'typescript',
    weights: { ...OPENAI, request: 2.9, turns: 5 },
    refuses: ['documents', 'tools', 'schemas', 'seals'],
  },
  {
    name: 'Gemini 2, 3',
    models: /^gemini-(?:[23]-|flash-latest)(?!.*image)/,
    encoding: 'o200k',
    tools: 'json',
    weights: { turns: 0.97, instructions: 0.96, 'prose.tokens': 0.98, 'prose.digits': 1.3, 'prose.marks': 0.15, 'prose.lines': 1.1 },
    // Google's two platforms differ by one.
    least: 4,
    refuses: ['documents', 'tools', 'schemas', 'thinking', 'thoughts', 'seals', 'scripts'],
  },
];
