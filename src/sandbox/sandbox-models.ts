/** A model of the sandbox, as lists show it. */
export interface SandboxModel {
  /** The name to call it by through the gateway: `sandbox/…`. */
  readonly id: string;
  readonly ownedBy: 'sandbox';
  readonly displayName: string;
  /** One line: what it does. */
  readonly description: string;
  /** Seconds since 1970; when the first sandbox was made. */
  readonly createdAt: number;
  readonly inputTokenLimit: number;
  readonly outputTokenLimit: number;
}

const LINES: readonly (readonly [name: string, description: string])[] = [
  ['chat', 'Answers by rules: talks, streams, calls tools, thinks, keeps to a schema, describes files'],
  ['echo', 'Says back the last thing that the user said'],
  ['slow', 'As chat, with a second before the first piece and 120 ms between pieces; slow-50ms sets the pause'],
  ['slow-first-token-3s', 'As chat, but silent for 3 s after the response head; any duration'],
  ['slow-headers-3s', 'As chat, but no response head for 3 s; any duration'],
  ['status-500', 'Fails with the HTTP status of its name; any from 300 to 599'],
  ['retry-after-5', 'Fails with 429 and Retry-After: 5; any duration'],
  ['stall-after-3', 'Stops sending for ever after 3 pieces, the connection stays open'],
  ['cut-after-3', 'The connection closes after 3 pieces'],
  ['reset-after-3', 'The connection is reset after 3 pieces'],
  ['error-after-3', "Sends the protocol's error event after 3 pieces"],
  ['garbage-after-3', 'Sends bytes that are no event after 3 pieces'],
  ['garbage', 'Answers 200 with bytes that are no answer'],
  ['error-in-200', 'Answers 200 with an error inside'],
  ['empty', 'Answers 200 with an empty body'],
  ['html', 'Answers 200 with an HTML page; html-502 with that status'],
  ['hang-up', 'Closes the connection without an answer'],
  ['embed', 'Embeddings: texts that speak of the same in like words are near each other'],
  ['rerank', 'Puts documents in order by how near their embeddings are to that of the query'],
  ['speech', 'Speaks a text in tones, as WAV, PCM or MP3; in chat too'],
  ['transcribe', "Writes down what the sandbox's own sounds say, and says what others are"],
  ['image', 'Draws the prompt, as PNG; in chat too'],
  ['video', 'A film with the prompt drawn in, as MP4, made as a task of two seconds'],
  ['image-refused', 'As image, but refuses, as a safety system does; video-refused likewise'],
  ['video-slow', 'As video, but the task takes 13 s; video-takes-30s: any duration'],
  ['video-fail', 'As video, but the task fails; video-filtered: stopped by a filter; video-stuck: never done'],
];

/** What the sandbox lists. Names with a number or a duration stand for all of their kind. */
export const sandboxModels: readonly SandboxModel[] = LINES.map(([name, description]) => ({
  id: `sandbox/${name}`,
  ownedBy: 'sandbox',
  displayName: `Sandbox ${name}`,
  description,
  createdAt: 1_764_000_000,
  inputTokenLimit: 1_000_000,
  outputTokenLimit: 100_000,
}));
