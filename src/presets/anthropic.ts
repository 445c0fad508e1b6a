import { header } from './auth.ts';
import { claudeRules } from './claude-models.ts';
import { definePreset } from './preset.ts';

export const anthropic = definePreset({
  id: 'anthropic',
  label: 'Anthropic',
  docs: ['https://platform.claude.com/docs/en/api/messages', 'https://platform.claude.com/docs/en/api/openai-sdk'],
  env: ['ANTHROPIC_API_KEY'],
  origin: 'https://api.anthropic.com',
  auth: header('x-api-key'),
  speaks: {
    'anthropic-messages': {
      base: '/v1',
      headers: { 'anthropic-version': '2023-06-01' },
      passHeaders: ['anthropic-*', 'x-claude-code-session-id'],
      facts: { hostedTools: ['web-search', 'web-fetch', 'code-execution', 'mcp', 'computer', 'shell'] },
      countTokens: () => '/messages/count_tokens',
      mark: 'recorded',
    },
  },
  sealMaker: 'anthropic',
  knows: ['claude-*'],
  rules: claudeRules,
  models: { path: '/v1/models', shape: 'anthropic' },
});
