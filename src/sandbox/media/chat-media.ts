import { badField, type ChatRequest, type Choice, isObject, type Json, type MediaPart, type Part } from '../../ir/index.ts';
import { type Behaviour, changed } from '../behaviour.ts';
import { type Performance, perform, toReply, type WireWays } from '../chat-model.ts';
import { type Conversation, readConversation } from '../conversation.ts';
import { describeMedia } from '../describe-media.ts';
import { type Directives, readDirectives } from '../directives.ts';
import { pictureFile } from '../picture/draw-picture.ts';
import { decodePng } from '../picture/read-png.ts';
import { lengthOf, SAMPLE_RATE, speak } from '../sound/speak.ts';
import { transcribe, transcribeSamples } from '../sound/transcribe.ts';
import { wavHead } from '../sound/wav.ts';
import { sizeOf } from './images.ts';
import { sampleBytes } from './speech.ts';

const MAX_ANSWERS = 8;
const RATIOS: Readonly<Record<string, string>> = {
  '1:1': '1024x1024',
  '2:3': '832x1248',
  '3:2': '1248x832',
  '3:4': '864x1184',
  '4:3': '1184x864',
  '4:5': '896x1152',
  '5:4': '1152x896',
  '9:16': '768x1344',
  '16:9': '1344x768',
  '21:9': '1536x672',
};

/** An object somewhere inside of a dialect's own fields. */
function at(request: ChatRequest, ...path: readonly string[]): Json | undefined {
  let value: Json | undefined = request.residue as Json | undefined;
  for (const name of path) value = isObject(value) ? value[name] : undefined;
  return value;
}

/** The shape that a dialect asks for in words of its own. */
function pictureSize(request: ChatRequest): { readonly width: number; readonly height: number } {
  const config = at(request, 'gemini', 'generationConfig', 'imageConfig') ?? at(request, 'openai-chat', 'image_config');
  const ratio = isObject(config) ? (config['aspectRatio'] ?? config['aspect_ratio']) : undefined;
  return sizeOf(typeof ratio === 'string' ? RATIOS[ratio] : undefined);
}

const base64Of = ({ source }: MediaPart): Buffer | undefined => (source.type === 'base64' ? Buffer.from(source.data, 'base64') : undefined);

function picture(request: ChatRequest, { media }: Conversation, text: string, variant: number): MediaPart {
  const given = media.filter((part) => part.media === 'image');
  // The first two: they are read in one go.
  const pasted = given.slice(0, 2).flatMap((part) => {
    const bytes = base64Of(part);
    return (bytes && decodePng(bytes)) ?? [];
  });
  const { width, height } = pictureSize(request);
  const from = given.length === 0 ? '' : `from ${given.map((part) => describeMedia(part, 'en')).join(' + ')} · `;
  const bytes = pictureFile({
    width,
    height,
    pasted,
    text: [...text].slice(0, 2000).join(''),
    caption: `${from}Pailou sandbox · ${width}x${height}`,
    seed: `${request.seed ?? text}#${variant}`,
  });
  return { kind: 'media', media: 'image', mediaType: 'image/png', source: { type: 'base64', data: bytes.toString('base64') } };
}

/** What is said by whom. */
interface Line {
  readonly text: string;
  readonly voice: string;
}

const voiceName = (config: Json | undefined): string | undefined => {
  const voice = isObject(config) && isObject(config['voiceConfig']) ? config['voiceConfig']['prebuiltVoiceConfig'] : undefined;
  return isObject(voice) && typeof voice['voiceName'] === 'string' ? voice['voiceName'] : undefined;
};

/** Two speakers of Gemini: lines that begin with a name are said in its voice. https://ai.google.dev/gemini-api/docs/speech-generation */
function linesOf(request: ChatRequest, text: string): readonly Line[] {
  const config = at(request, 'gemini', 'generationConfig', 'speechConfig');
  const multi = isObject(config) && isObject(config['multiSpeakerVoiceConfig']) ? config['multiSpeakerVoiceConfig'] : undefined;
  const list = multi?.['speakerVoiceConfigs'];
  if (Array.isArray(list) && list.length > 2) {
    const where = 'generationConfig.speechConfig.multiSpeakerVoiceConfig.speakerVoiceConfigs';
    throw badField(where, `Invalid request: '${where}' must name two speakers, not ${list.length}`);
  }
  const speakers = (Array.isArray(list) ? (list as readonly Json[]) : []).flatMap((one) =>
    isObject(one) && typeof one['speaker'] === 'string' ? [{ speaker: one['speaker'], voice: voiceName(one) ?? one['speaker'] }] : [],
  );
  const own = at(request, 'openai-chat', 'audio', 'voice');
  const plain = voiceName(config) ?? (typeof own === 'string' ? own : 'alloy');
  if (speakers.length === 0) return [{ text, voice: plain }];
  const lines: Line[] = [];
  for (const line of text.split('\n')) {
    const said = speakers.find(({ speaker }) => line.trimStart().startsWith(`${speaker}:`));
    // What comes before the first name is an instruction, and is not spoken.
    if (said)
      lines.push({
        voice: said.voice,
        text: line
          .trimStart()
          .slice(said.speaker.length + 1)
          .trim(),
      });
    else if (line.trim() !== '' && lines.length > 0) lines.push({ text: line.trim(), voice: lines.at(-1)?.voice ?? plain });
  }
  return lines.length > 0 ? lines : [{ text, voice: plain }];
}

/** As many letters as are said aloud, and stand in the transcript. */
const MAX_SPOKEN = 4096;

/** A sound, in the form in which the wire has them: bare samples, or WAV. */
function sound(request: ChatRequest, text: string, { protocol }: WireWays): MediaPart {
  const lines = linesOf(request, text).map((line) => ({ ...line, speed: 1 }));
  const samples = Buffer.concat(lines.flatMap((line) => [...speak(line)].map(sampleBytes)));
  const format = at(request, 'openai-chat', 'audio', 'format') ?? 'wav';
  if (protocol === 'openai-chat' && format !== 'wav' && format !== 'pcm16')
    throw badField('audio.format', "Invalid request: in chat the sandbox speaks 'wav' and 'pcm16'");
  const isBare = protocol === 'gemini' || format === 'pcm16';
  const total = lines.reduce((sum, line) => sum + lengthOf(line), 0);
  const bytes = isBare ? samples : Buffer.concat([wavHead(SAMPLE_RATE, total * 2), samples]);
  const mediaType = isBare ? `audio/L16;codec=pcm;rate=${SAMPLE_RATE}` : 'audio/wav';
  return { kind: 'media', media: 'audio', mediaType, source: { type: 'base64', data: bytes.toString('base64') } };
}

/** Chat writes what a sound says into the sound's own object; Gemini's speech has no text beside it. */
function spoken(request: ChatRequest, whole: string, ways: WireWays): readonly Part[] {
  const text = [...whole].slice(0, MAX_SPOKEN).join('');
  const part = sound(request, text, ways);
  if (ways.protocol === 'gemini') return [part];
  return [{ kind: 'text', text, residue: { 'openai-chat': { transcript: true } } }, part];
}

function heard({ media }: Conversation): string {
  const sounds = media.filter((part) => part.media === 'audio');
  if (sounds.length === 0) return 'There is no sound in this message.';
  const texts = sounds.map((part) => {
    const bytes = base64Of(part);
    return (bytes && (transcribe(bytes) ?? transcribeSamples(bytes))?.text) ?? describeMedia(part, 'en');
  });
  return texts.join('\n');
}

const text = (said: string): Part => ({ kind: 'text', text: said });

/** One answer of a model of media. */
function answer(
  request: ChatRequest,
  voice: Behaviour['voice'],
  conversation: Conversation,
  directives: Directives,
  ways: WireWays,
  variant: number,
): Choice {
  if (directives.refuse) return { parts: [{ kind: 'refusal', text: 'I am sorry, but I cannot make that.' }], stop: { reason: 'refusal' } };
  if (directives.filter) return { parts: [], stop: { reason: 'content-filter' } };
  const asked = directives.say ?? directives.text;
  if (voice === 'transcribe') return { parts: [text(heard(conversation))], stop: { reason: 'stop' } };
  if (voice === 'speech') return { parts: spoken(request, asked, ways), stop: { reason: 'stop' } };
  const about = conversation.language === 'zh' ? '这是您要的图片。' : 'Here is the picture.';
  const words = request.modalities && !request.modalities.includes('text') ? [] : [text(about)];
  return { parts: [...words, picture(request, conversation, asked, variant)], stop: { reason: 'stop' } };
}

/** The text of an answer, spoken: calls and refusals are left as they are. */
function aloud(performance: Performance, request: ChatRequest, ways: WireWays): Performance {
  const { reply } = performance;
  const said = reply.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('\n');
  if (said === '') return performance;
  const parts = [...reply.parts.filter((part) => part.kind !== 'text'), ...spoken(request, said, ways)];
  return { ...performance, reply: { ...reply, parts } };
}

/** Answers a conversation with a picture or a sound, or with what is heard in it. Throws `GatewayError`. */
export function performMedia(request: ChatRequest, behaviour: Behaviour, ways: WireWays): Performance {
  if (behaviour.voice === 'chat') return aloud(perform(request, behaviour, ways), request, ways);
  const conversation = readConversation(request);
  const directives = readDirectives(conversation.prompt);
  const end = behaviour.work.end;
  const settled = { ...directives, refuse: directives.refuse || end === 'refused', filter: directives.filter || end === 'filtered' };
  const count = Math.min(Math.max(request.n ?? 1, 1), MAX_ANSWERS);
  const choices = Array.from({ length: count }, (_, variant) => answer(request, behaviour.voice, conversation, settled, ways, variant));
  return { reply: toReply(request, ways, choices), behaviour: directives.changes.reduce(changed, behaviour) };
}
