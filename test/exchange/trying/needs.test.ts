import { afterEach, describe, expect, it } from 'vitest';
import { candidatesOf } from '../../../src/policy/kept-decision.ts';
import { type Need, NEEDS } from '../../../src/policy/needs.ts';
import { json } from '../../fakes/upstream.ts';
import { CHAT, counts, setTrials, type Trials } from './trials.ts';

let trials: Trials | undefined;
afterEach(async () => {
  await trials?.close();
  trials = undefined;
});

const content = (part: object): object => ({ messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, part] }] });

/** A chat that needs each of them, as clients write it. */
const BODIES: { readonly [N in Need]: object } = {
  tools: { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }] },
  vision: content({ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }),
  files: content({ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0xLjQK' } }),
  audio: content({ type: 'input_audio', input_audio: { data: 'UklGRgAAAABXQVZF', format: 'wav' } }),
  video: content({ type: 'video_url', video_url: { url: 'data:video/mp4;base64,AAAAGGZ0eXA=' } }),
  structured: { response_format: { type: 'json_schema', json_schema: { name: 's', schema: { type: 'object' } } } },
  reasoning: { reasoning_effort: 'high' },
  imageOutput: { modalities: ['text', 'image'] },
  audioOutput: { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } },
};

async function set(need: Need): Promise<Trials> {
  trials = await setTrials({
    answers: [json(CHAT.whole), json(CHAT.whole)],
    settings: [{ abilities: { '*': { [need]: false } } }, { abilities: { '*': { [need]: true } } }],
  });
  return trials;
}

async function post({ server }: Trials, more: object): Promise<string | null> {
  const got = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...CHAT.body('both', false), ...more }),
  });
  expect(got.status, await got.text()).toBe(200);
  return got.headers.get('x-pailou-served-by');
}

describe('a call goes by a target that is known to lack what it needs', () => {
  it.each(NEEDS)('%s', async (need) => {
    const stage = await set(need);
    expect(await post(stage, {})).toBe('a/up');
    expect(await post(stage, BODIES[need])).toBe('b/up');
    expect(counts(stage)).toEqual([1, 1]);
    await expect.poll(() => stage.server.records.length).toBe(2);
    const { route } = stage.server.records[1] ?? {};
    const [first, second] = route ? candidatesOf(route) : [];
    expect(first).toMatchObject({ provider: 'a', verdict: 'rejected', reasons: ['alias', 'priority', `capability_missing:${need}`] });
    expect(second).toMatchObject({ provider: 'b', verdict: 'chosen', reasons: ['alias', 'priority'] });
  });

  it('a question that is too long for it', async () => {
    trials = await setTrials({
      answers: [json(CHAT.whole), json(CHAT.whole)],
      settings: [{ abilities: { '*': { context: 100 } } }],
    });
    expect(await post(trials, {})).toBe('a/up');
    expect(await post(trials, { messages: [{ role: 'user', content: 'word '.repeat(200) }] })).toBe('b/up');
    await expect.poll(() => trials?.server.records.length).toBe(2);
    const { route } = trials.server.records[1] ?? {};
    expect(route && candidatesOf(route)[0]).toMatchObject({ verdict: 'rejected', reasons: ['alias', 'priority', 'context_too_long'] });
  });
});
