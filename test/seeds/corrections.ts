/** Where an example is not run to the letter, and why. Host, key and model names are the reader's own in all of them. */
export interface Correction {
  /** Number of the document. */
  readonly document: '000' | '001' | '002' | '003';
  readonly where: string;
  readonly what: string;
}

export const corrections: readonly Correction[] = [
  { document: '000', where: 'chat request', what: 'JSON holds `//` comments after `model` and `stream`: left out' },
  { document: '000', where: 'chat stream', what: 'a line `...` stands for further chunks' },
  { document: '000', where: 'Gemini paths', what: '`{modelId}` stands for a model' },
  { document: '002', where: 'embeddings answer', what: 'the vector ends in `...`: further numbers' },
  { document: '003', where: 'all paths', what: '`{platform}` stands for a configured provider' },
  {
    document: '003',
    where: 'chat request with an image, with a file',
    what: 'a sentence stands where an address or base64 goes: run with each of them',
  },
  { document: '003', where: 'chat stream', what: 'a line `...` stands for further chunks' },
  { document: '003', where: 'image answers', what: '`b64_json` ends in `...`' },
  { document: '003', where: 'video remix request', what: 'a comma is missing after `model`' },
  { document: '003', where: 'task answer', what: '`{...}` stands for an object' },
];
