// An upstream whose events come one by one and say when they left.
import type { ProviderSettings } from '../../src/presets/preset.ts';
import type { Behaviour } from '../fakes/fault-upstream.ts';

const chunk = (content: string, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'up', choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;

/** Events at a steady pace, each with the moment at which it was written. */
export const paced =
  (events: number, gap: number): Behaviour =>
  (_one, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let left = events;
    const timer = setInterval(() => {
      if (left-- > 0) response.write(chunk(`@${performance.now().toFixed(3)}@`));
      else {
        clearInterval(timer);
        response.end(`${chunk('', 'stop')}data: [DONE]\n\n`);
      }
    }, gap);
    response.on('close', () => clearInterval(timer));
  };

/** The provider that answers so. */
export const settings = (url: string): ProviderSettings => ({
  preset: 'openai-compatible',
  baseUrl: url,
  key: 'up-secret',
  protocols: ['openai-chat'],
});
