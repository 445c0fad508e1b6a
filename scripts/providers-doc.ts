import { writeFileSync } from 'node:fs';
import type { Ability, ProtocolId } from '../src/ir/index.ts';
import { presets } from '../src/presets/index.ts';
import type { MediaWire, Preset, Wire } from '../src/presets/preset.ts';
import { formatPage } from './format-page.ts';
import { type MediaRow, wireOf } from '../test/media/wires/media-row.ts';
import { MEDIA_ROWS } from '../test/media/wires/rows.ts';
import { WIRE_ROWS } from '../test/presets/wire-rows.ts';
import type { WireRow } from '../test/presets/wires/wire-row.ts';

/*
 * Writes docs/providers.md: what the presets declare and the table of wires holds them to. Nothing is listed that has no
 * row there. `node scripts/providers-doc.ts` writes the file; a test fails while it is not up to date.
 */

export const PROVIDERS_DOC = new URL('../docs/providers.md', import.meta.url);

const NAMES: Readonly<Record<ProtocolId, string>> = {
  'openai-chat': 'OpenAI Chat',
  'openai-responses': 'OpenAI Responses',
  'openai-completions': 'OpenAI Completions (legacy)',
  'anthropic-messages': 'Anthropic Messages',
  gemini: 'Gemini',
  'bedrock-converse': 'Bedrock Converse',
};

const ABILITIES: Readonly<Record<Ability, string>> = {
  embeddings: 'Embeddings',
  rerank: 'Rerank',
  moderations: 'Moderations',
  speech: 'Speech',
  transcription: 'Transcription',
  translation: 'Translation of speech',
  images: 'Images',
  'image-edits': 'Image edits',
  'image-variations': 'Image variations',
  videos: 'Videos',
};

const INTRO = `# Providers

Pailou knows these providers: where each is called, in which protocols, and what its wire and its models take. A preset is
named in the configuration, with a key:

\`\`\`yaml
providers:
  openai:  { preset: openai, key: "\${env:OPENAI_API_KEY}" }
  kimi:    { preset: moonshot, key: "\${env:MOONSHOT_API_KEY}", region: cn }
  azure:   { preset: azure-openai, key: "\${env:AZURE_API_KEY}", settings: { resource: my-resource } }
  aws:     { preset: bedrock, key: "\${env:AWS_ACCESS_KEY_ID}:\${env:AWS_SECRET_ACCESS_KEY}", region: eu-west-1 }
  vertex:  { preset: vertex, key: "\${file:/secrets/service-account.json}", settings: { project: my-project } }
  coding:  { preset: volcengine, key: "\${env:ARK_API_KEY}", baseUrl: { openai-chat: https://ark.cn-beijing.volces.com/api/coding/v3 } }
  mine:    { preset: openai-compatible, baseUrl: http://127.0.0.1:9000/v1 }
\`\`\`

- A client is answered in its own protocol where the provider speaks it (the bytes then pass untouched but for the model's name
  and the credential); otherwise Pailou translates to the provider's first protocol that serves the model. \`protocols\` narrows the list.
- \`baseUrl\` may be written with or without its version segment. One address is the root of all protocols; a map gives one for each, and
  leaves out those that it does not name.
- Without a configuration, keys are found in the environment under the names below, and local servers on their usual ports.
- **Azure** also takes a service principal as its key, \`{"tenantId": …, "clientId": …, "clientSecret": …}\`. **Vertex AI** takes the JSON of a
  service account, an API key, or no key: then Google's application default credentials. **Bedrock** takes an API key or
  \`accessKeyId:secretAccessKey[:sessionToken]\`.

- What a provider can do besides chat stands in a second table. \`rerank: embeddings\` on a provider lets its embedding models rerank too,
  by cosine similarity; such answers carry the note \`model;emulated\`.
- Speech comes in any of \`mp3\`, \`wav\` and \`pcm\` from every provider that gives samples or the format itself; \`opus\`, \`aac\` and \`flac\` where it has
  them or \`ffmpeg\` is on the server's PATH. Voices of OpenAI's and Gemini's names are mapped to the provider's own; \`voices: { alloy: Kore }\`
  on a provider says otherwise. Transcripts come in every format that the provider gives, or that can be made of the times that it gives.

Every line below is held by a test to its exact address, method, headers, body, reply and one error
(\`test/presets/wires/\`, \`test/media/wires/\`). **recorded**: exchanges recorded from the provider, or from a server of that kind, pass through it as
well; **documented**: it rests on the vendor's page, which is linked, on copies of it and on the vendor's own SDKs where they are public: no such vendor was called
for it. Vendors change their pages; where one refuses what this page says it takes, its own words reach the client, and a report is welcome.
`;

const code = (text: string): string => `\`${text}\``;

const baseOf = ({ origin }: Preset, wire: Wire | MediaWire): string =>
  origin === '' ? `your own${wire.base === '' ? '' : ` + ${code(wire.base)}`}` : code((wire.origin ?? origin) + wire.base);

function variablesOf(preset: Preset): string {
  const pair = preset.envPair ? [preset.envPair.slice(0, 2).map(code).join(' + ')] : [];
  const settings = (preset.settings ?? [])
    .filter((setting) => setting.default === undefined)
    .flatMap((setting) => setting.env?.slice(0, 1) ?? []);
  const keys = [...preset.env.map(code), ...pair, ...(preset.envElsewhere ?? []).map(code)].join(', ');
  return [keys, ...settings.map((name) => `with ${code(name)}`)].filter((text) => text !== '').join(' ') || '–';
}

function regionsOf(preset: Preset): string {
  const regions = Object.entries(preset.regions ?? {}).filter(([, origin]) => origin !== preset.origin);
  return regions.length === 0 ? '' : ` Regions: ${regions.map(([name, origin]) => `${code(name)} ${origin}`).join(', ')}.`;
}

function lineOf({ preset: id, protocol, page }: WireRow): string {
  const wire = presets.get(id)?.speaks[protocol];
  const preset = presets.get(id);
  if (!preset || !wire) throw new Error(`${id} has no wire ${protocol}`);
  const optional = wire.optional === true ? ' (when named)' : '';
  return `| ${NAMES[protocol]}${optional} | ${baseOf(preset, wire)} | ${wire.mark} | [page](${page}) |`;
}

/** Rows of one preset, in its own order of preference. */
function rowsOf(preset: Preset): readonly WireRow[] {
  const order = Object.keys(preset.speaks);
  return WIRE_ROWS.filter((row) => row.preset === preset.id).toSorted((a, b) => order.indexOf(a.protocol) - order.indexOf(b.protocol));
}

/** Rows of one preset's abilities besides chat, one a wire. */
function mediaRowsOf(preset: Preset): readonly MediaRow[] {
  const rows = MEDIA_ROWS.filter((row) => row.preset === preset.id);
  return rows.filter((row, at) => rows.findIndex((one) => one.ability === row.ability && wireOf(one) === wireOf(row)) === at);
}

function mediaLineOf(preset: Preset, row: MediaRow): string {
  const wire = wireOf(row);
  const models = (wire.models ?? []).map((glob) => (glob.startsWith('!') ? `not ${code(glob.slice(1))}` : code(glob))).join(', ') || 'all';
  return `| ${ABILITIES[row.ability]} | ${models} | ${baseOf(preset, wire)} | ${wire.mark} | [page](${row.page}) |`;
}

function protocolTable(rows: readonly WireRow[]): string {
  if (rows.length === 0) return '';
  return `\n| protocol | base URL | mark | vendor |\n| --- | --- | --- | --- |\n${rows.map(lineOf).join('\n')}\n`;
}

function abilityTable(preset: Preset): string {
  const rows = mediaRowsOf(preset);
  if (rows.length === 0) return '';
  const lines = rows.map((row) => mediaLineOf(preset, row)).join('\n');
  return `\n| besides chat | models | base URL | mark | vendor |\n| --- | --- | --- | --- | --- |\n${lines}\n`;
}

function sectionOf(preset: Preset): string {
  const head = `### ${preset.label}\n\nPreset ${code(preset.id)}. Variables: ${variablesOf(preset)}.${regionsOf(preset)}\n`;
  return head + protocolTable(rowsOf(preset)) + abilityTable(preset);
}

/** The whole page. */
export function providersDoc(): string {
  const listed = [...presets.values()].filter((preset) => rowsOf(preset).length + mediaRowsOf(preset).length > 0);
  const own = listed.filter((preset) => preset.local !== undefined);
  const any = listed.filter((preset) => preset.origin === '');
  const hosted = listed.filter((preset) => preset.local === undefined && preset.origin !== '');
  const section = (title: string, of: readonly Preset[]): string => `## ${title}\n\n${of.map(sectionOf).join('\n')}`;
  const page = [INTRO, section('Makers and clouds', hosted), section('Servers of your own', own), section('Any other', any)];
  return formatPage('docs/providers.md', page.join('\n'));
}

if (import.meta.main) writeFileSync(PROVIDERS_DOC, providersDoc());
