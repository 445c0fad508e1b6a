import { describe, expect, it } from 'vitest';
import { operationOf } from './endpoints.ts';
import { parsePath } from './paths.ts';

const POSTS: readonly { path: string; is: Record<string, unknown>; platform?: string }[] = [
  { path: '/v1/chat/completions', is: { kind: 'generate', protocol: 'openai-chat' } },
  { path: '/chat/completions', is: { kind: 'generate', protocol: 'openai-chat' } },
  { path: '/v1/v1/chat/completions', is: { kind: 'generate', protocol: 'openai-chat' } },
  { path: '//v1//chat/completions/', is: { kind: 'generate', protocol: 'openai-chat' } },
  { path: '/v1/messages?beta=true', is: { kind: 'generate', protocol: 'anthropic-messages' } },
  { path: '/openai/v1/responses', is: { kind: 'generate', protocol: 'openai-responses' }, platform: 'openai' },
  { path: '/mine/chat/completions', is: { kind: 'generate', protocol: 'openai-chat' }, platform: 'mine' },
  { path: '/v1/messages/count_tokens', is: { kind: 'count-tokens', protocol: 'anthropic-messages' } },
  { path: '/v1beta/models/gemini-3:generateContent', is: { kind: 'generate', protocol: 'gemini', model: 'gemini-3', stream: false } },
  { path: '/v1/models/gemini-3:streamGenerateContent?alt=sse', is: { kind: 'generate', model: 'gemini-3', stream: true, array: false } },
  { path: '/models/gemini-3:streamGenerateContent', is: { kind: 'generate', model: 'gemini-3', stream: true, array: true } },
  { path: '/v1beta/models/or/meta/llama3:8b:generateContent', is: { kind: 'generate', model: 'or/meta/llama3:8b' } },
  // As the AI SDK writes ids with a slash.
  { path: '/v1beta/or/meta/llama3:8b:generateContent', is: { kind: 'generate', model: 'or/meta/llama3:8b' } },
  { path: '/v1beta/models/or%2Fmeta%2Fllama3%3A8b:generateContent', is: { kind: 'generate', model: 'or/meta/llama3:8b' } },
  { path: '/v1beta/models/x:predict', is: { kind: 'media', ability: 'images', shape: 'gemini', model: 'x', verb: 'predict' } },
  { path: '/v1beta1/publishers/google/models/x:predict', is: { kind: 'media', shape: 'gemini', model: 'x' } },
  { path: '/v1beta1/publishers/openai/models/x:predict', is: { kind: 'media', shape: 'gemini', model: 'openai/x' } },
  {
    path: '/v1beta1/projects/p/locations/l/publishers/google/models/x:generateContent',
    is: { kind: 'generate', protocol: 'gemini', model: 'x' },
  },
  { path: '/v1/responses/resp_1/cancel', is: { kind: 'state', resource: 'responses', rest: ['resp_1', 'cancel'] } },
  { path: '/v1/conversations', is: { kind: 'state', resource: 'conversations', rest: [] } },
  { path: '/v1/files', is: { kind: 'not-due', what: 'files' } },
  { path: '/v1/nonsense', is: { kind: 'unknown' } },
  { path: '/v1/models', is: { kind: 'method', allow: 'GET' } },
];

describe('paths as clients send them', () => {
  it.each(POSTS)('POST $path', ({ path, is, platform }) => {
    const parsed = parsePath(path);
    expect(parsed?.platform).toBe(platform);
    expect(parsed && operationOf('POST', parsed)).toMatchObject(is);
  });

  it.each(['/', '/v1', '/api/hello', '/v1/'])('GET %s greets', (path) => {
    const parsed = parsePath(path);
    expect(parsed && operationOf('GET', parsed)).toEqual({ kind: 'hello' });
  });

  it('lists models and takes ids with slashes and colons', () => {
    const read = (path: string): unknown => {
      const parsed = parsePath(path);
      return parsed && operationOf('GET', parsed);
    };
    expect(read('/v1/models')).toEqual({ kind: 'models' });
    expect(read('/v1beta/models/or/meta/llama3:8b')).toEqual({ kind: 'models', id: 'or/meta/llama3:8b' });
  });

  it.each([
    '/v1/../admin',
    '/v1/%2e%2e/x',
    '/v1/models/a%2f..%2fb',
    '/v1/a%00b',
    '/v1/a%0d%0ab',
    '/v1/%zz',
    'http://evil/v1/models',
    '/v1/a\\b',
  ])('refuses %s', (path) => expect(parsePath(path)).toBeUndefined());
});
