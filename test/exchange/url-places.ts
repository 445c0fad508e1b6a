// Every place of every body in which a client may name an address, and addresses of the inside.

/** Addresses that lead inside, or nowhere. `port`: of a service on this machine. */
export const insideUrls = (port: number): readonly (readonly [name: string, url: string])[] => [
  ['loopback', `http://127.0.0.1:${port}/a.png`],
  ['loopback, short', `http://127.1:${port}/a.png`],
  ['loopback, a number', `http://2130706433:${port}/a.png`],
  ['loopback, octal', `http://0177.0.0.1:${port}/a.png`],
  ['loopback, IPv6', `http://[::1]:${port}/a.png`],
  ['loopback, mapped', `http://[::ffff:127.0.0.1]:${port}/a.png`],
  ['this host', `http://0.0.0.0:${port}/a.png`],
  ['a private range', 'http://10.0.0.1/a.png'],
  ['metadata', 'http://169.254.169.254/latest/meta-data'],
  ['metadata by name', `http://metadata.google.internal:${port}/a.png`],
  ['localhost', `http://localhost:${port}/a.png`],
  ['a name that rebinds', `http://rebinds.example:${port}/a.png`],
  ['credentials', `http://user:secret@127.0.0.1:${port}/a.png`],
  ['a file', 'file:///etc/passwd'],
  ['another scheme', `gopher://127.0.0.1:${port}/a`],
  ['no scheme', `//127.0.0.1:${port}/a.png`],
];

const picture = (url: string) => ({ type: 'image_url', image_url: { url } });
const user = (content: unknown): Record<string, unknown> => ({ messages: [{ role: 'user', content }] });

/** A place of an address in a body. */
export interface UrlPlace {
  readonly name: string;
  readonly path: string;
  readonly body: (url: string) => Record<string, unknown>;
}

/** Chat to a target that takes bytes only, so that the gateway would have to fetch. */
export const CHAT_PLACES: readonly UrlPlace[] = [
  { name: 'chat: a picture', path: '/v1/chat/completions', body: (url) => ({ model: 'gem/up', ...user([picture(url)]) }) },
  {
    name: 'chat: a picture as a text',
    path: '/v1/chat/completions',
    body: (url) => ({ model: 'gem/up', ...user([{ type: 'image_url', image_url: url }]) }),
  },
  {
    name: 'chat: a file',
    path: '/v1/chat/completions',
    body: (url) => ({ model: 'gem/up', ...user([{ type: 'file', file: { file_data: url, filename: 'a.pdf' } }]) }),
  },
  {
    name: 'chat: the second of two',
    path: '/v1/chat/completions',
    body: (url) => ({ model: 'gem/up', ...user([picture('data:image/png;base64,iVBORw0KGgo='), picture(url)]) }),
  },
  {
    name: 'messages: a picture',
    path: '/v1/messages',
    body: (url) => ({ model: 'gem/up', max_tokens: 5, ...user([{ type: 'image', source: { type: 'url', url } }]) }),
  },
  {
    name: 'messages: a document',
    path: '/v1/messages',
    body: (url) => ({ model: 'gem/up', max_tokens: 5, ...user([{ type: 'document', source: { type: 'url', url } }]) }),
  },
  {
    name: 'messages: in a result of a tool',
    path: '/v1/messages',
    body: (url) => ({
      model: 'gem/up',
      max_tokens: 5,
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'f', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [{ type: 'image', source: { type: 'url', url } }] }] },
      ],
      tools: [{ name: 'f', input_schema: { type: 'object' } }],
    }),
  },
  {
    name: 'messages: counted',
    path: '/v1/messages/count_tokens',
    body: (url) => ({ model: 'gem/up', ...user([{ type: 'image', source: { type: 'url', url } }]) }),
  },
  {
    name: 'responses: a picture',
    path: '/v1/responses',
    body: (url) => ({ model: 'gem/up', store: false, input: [{ role: 'user', content: [{ type: 'input_image', image_url: url }] }] }),
  },
  {
    name: 'responses: a file',
    path: '/v1/responses',
    body: (url) => ({ model: 'gem/up', store: false, input: [{ role: 'user', content: [{ type: 'input_file', file_url: url }] }] }),
  },
  {
    name: 'gemini: a file',
    path: '/v1beta/models/oai/up:generateContent',
    body: (url) => ({ contents: [{ role: 'user', parts: [{ fileData: { mimeType: 'image/png', fileUri: url } }] }] }),
  },
];

/** The endpoints besides chat. */
export const MEDIA_PLACES: readonly UrlPlace[] = [
  {
    name: 'images: edits',
    path: '/v1/images/edits',
    body: (url) => ({ model: 'maker/gpt-image-1', prompt: 'a', images: [{ image_url: url }] }),
  },
  { name: 'images: edits, one', path: '/v1/images/edits', body: (url) => ({ model: 'maker/gpt-image-1', prompt: 'a', image: url }) },
  {
    name: 'images: a mask',
    path: '/v1/images/edits',
    body: (url) => ({ model: 'maker/gpt-image-1', prompt: 'a', image: 'data:image/png;base64,iVBORw0KGgo=', mask: { image_url: url } }),
  },
  {
    name: 'images: a webhook',
    path: '/v1/images/generations',
    body: (url) => ({ model: 'maker/gpt-image-1', prompt: 'a', async: true, webhook: { url, secret: `whsec_${'A'.repeat(32)}` } }),
  },
  { name: 'videos: a reference', path: '/v1/videos', body: (url) => ({ model: 'sandbox/video', prompt: 'a', input_reference: url }) },
  {
    name: 'videos: a reference in an object',
    path: '/v1/videos',
    body: (url) => ({ model: 'sandbox/video', prompt: 'a', input_reference: { image_url: url } }),
  },
  { name: 'videos: a last frame', path: '/v1/videos', body: (url) => ({ model: 'sandbox/video', prompt: 'a', last_frame: url }) },
  {
    name: 'videos: a webhook',
    path: '/v1/videos',
    body: (url) => ({ model: 'sandbox/video', prompt: 'a', webhook: { url, secret: `whsec_${'A'.repeat(32)}` } }),
  },
  {
    name: 'embeddings: a picture',
    path: '/v1/embeddings',
    body: (url) => ({ model: 'maker/text-embedding-3-small', input: [picture(url)] }),
  },
  {
    name: 'moderations: a picture',
    path: '/v1/moderations',
    body: (url) => ({ model: 'maker/omni-moderation-latest', input: [picture(url)] }),
  },
];
