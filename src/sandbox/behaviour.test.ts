import { describe, expect, it } from 'vitest';
import { behaviourOf, parseDuration } from './behaviour.ts';
import { sandboxModels } from './sandbox-models.ts';

describe('parseDuration', () => {
  it.each([
    ['250ms', 250],
    ['3s', 3000],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['5', 5000],
    ['0', 0],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', 's', '3 s', '-1s', '1e3s', '25h', '3d', '1.2345s', 'NaN'])('%j is none', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );
});

describe('behaviourOf', () => {
  const still = { headMs: 0, firstMs: 0, betweenMs: 0 };
  it.each([
    ['chat', { voice: 'chat', pace: still }],
    ['sandbox/chat', { voice: 'chat', pace: still }],
    ['models/echo', { voice: 'echo', pace: still }],
    ['slow', { voice: 'chat', pace: { headMs: 0, firstMs: 1000, betweenMs: 120 } }],
    ['slow-50ms', { voice: 'chat', pace: { ...still, betweenMs: 50 } }],
    ['slow-first-token-3s', { voice: 'chat', pace: { ...still, firstMs: 3000 } }],
    ['slow-headers-2s', { voice: 'chat', pace: { ...still, headMs: 2000 } }],
    ['status-429', { voice: 'chat', pace: still, trouble: { kind: 'status', status: 429 } }],
    ['retry-after-5', { voice: 'chat', pace: still, trouble: { kind: 'status', status: 429, retryAfterMs: 5000 } }],
    ['retry-after-500ms', { voice: 'chat', pace: still, trouble: { kind: 'status', status: 429, retryAfterMs: 500 } }],
    ['cut-after-3', { voice: 'chat', pace: still, trouble: { kind: 'cut', after: 3 } }],
    ['cut-after-0', { voice: 'chat', pace: still, trouble: { kind: 'cut', after: 0 } }],
    ['garbage', { voice: 'chat', pace: still, trouble: { kind: 'garbage', after: -1 } }],
    ['html-502', { voice: 'chat', pace: still, trouble: { kind: 'html', status: 502 } }],
    ['echo+cut-after-2', { voice: 'echo', pace: still, trouble: { kind: 'cut', after: 2 } }],
    ['slow+stall-after-1', { voice: 'chat', pace: { headMs: 0, firstMs: 1000, betweenMs: 120 }, trouble: { kind: 'stall', after: 1 } }],
    ['image', { voice: 'image', pace: still }],
    ['image-refused', { voice: 'image', pace: still, work: { end: 'refused' } }],
    ['video-fail', { voice: 'video', pace: still, work: { end: 'failed' } }],
    ['video-takes-30s', { voice: 'video', pace: still, work: { takesMs: 30_000 } }],
    ['video-slow', { voice: 'video', pace: { headMs: 0, firstMs: 1000, betweenMs: 120 } }],
    ['video+stuck+takes-2s', { voice: 'video', pace: still, work: { end: 'stuck', takesMs: 2000 } }],
    ['sandbox/speech-cut-after-2', { voice: 'speech', pace: still, trouble: { kind: 'cut', after: 2 } }],
    ['transcribe-status-503', { voice: 'transcribe', pace: still, trouble: { kind: 'status', status: 503 } }],
  ])('%s', (model, behaviour) => expect(behaviourOf(model)).toEqual({ work: {}, ...behaviour }));

  it.each([
    '',
    'gpt-5',
    'status-99',
    'status-200',
    'status-600',
    'cut-after-',
    'cut-after-x',
    'slow-',
    'slow-fast',
    'chat+',
    'toString',
    '__proto__',
    'image-',
    'image-blue',
    'speech-video-',
    'video-takes-',
  ])('there is no %j', (model) => expect(behaviourOf(model)).toBeUndefined());

  it('knows every model that is listed', () => {
    expect(sandboxModels.filter(({ id }) => !behaviourOf(id))).toEqual([]);
  });
});
