import { anthropic } from './anthropic.ts';
import { azureOpenai } from './azure-openai.ts';
import { bedrock } from './bedrock.ts';
import { cerebras } from './cerebras.ts';
import { hunyuan, qianfan, siliconflow, stepfun, volcengine } from './china-clouds.ts';
import { anthropicCompatible, geminiCompatible, openaiCompatible } from './compatible.ts';
import { dashscope } from './dashscope.ts';
import { deepgram } from './deepgram.ts';
import { deepseek } from './deepseek.ts';
import { elevenlabs } from './elevenlabs.ts';
import { jina, voyage } from './embedding-makers.ts';
import { gemini } from './gemini.ts';
import { groq } from './groq.ts';
import { bfl, stability } from './image-makers.ts';
import { gpustack, llamaCpp, lmStudio, localAi, ollama, sglang, vllm, xinference } from './local-servers.ts';
import { minimax } from './minimax.ts';
import { mistral } from './mistral.ts';
import { moonshot } from './moonshot.ts';
import {
  cloudflare,
  cohere,
  databricks,
  deepinfra,
  fireworks,
  githubModels,
  huggingface,
  nvidia,
  perplexity,
  together,
} from './open-model-clouds.ts';
import { openai } from './openai.ts';
import { openrouter } from './openrouter.ts';
import type { Preset, ProviderSettings } from './preset.ts';
import { sandboxPreset } from './sandbox.ts';
import { vertex } from './vertex.ts';
import { kling, luma, runway } from './video-makers.ts';
import { xai } from './xai.ts';
import { zai } from './zai.ts';

/** All presets, in the order in which they are listed and, without a configuration, preferred. */
const ALL: readonly Preset[] = [
  openai,
  anthropic,
  gemini,
  azureOpenai,
  vertex,
  bedrock,
  openrouter,
  deepseek,
  moonshot,
  zai,
  dashscope,
  minimax,
  volcengine,
  siliconflow,
  hunyuan,
  qianfan,
  stepfun,
  xai,
  mistral,
  groq,
  cerebras,
  together,
  fireworks,
  deepinfra,
  perplexity,
  cohere,
  jina,
  elevenlabs,
  deepgram,
  voyage,
  stability,
  bfl,
  kling,
  runway,
  luma,
  nvidia,
  huggingface,
  cloudflare,
  databricks,
  githubModels,
  ollama,
  lmStudio,
  llamaCpp,
  vllm,
  sglang,
  localAi,
  xinference,
  gpustack,
  openaiCompatible,
  anthropicCompatible,
  geminiCompatible,
  sandboxPreset,
];

/** All presets by their ids. */
export const presets: ReadonlyMap<string, Preset> = new Map(ALL.map((preset) => [preset.id, preset]));

/** Ids of all presets, in their order. */
export const presetNames: readonly string[] = [...presets.keys()];

type Env = Readonly<Record<string, string | undefined>>;

/** A provider that the environment holds a key for. */
export interface EnvProvider {
  readonly preset: Preset;
  readonly settings: ProviderSettings;
  /** The variables that were read, the key's first. For messages: names, never values. */
  readonly from: readonly string[];
}

interface Found {
  readonly key: string;
  readonly from: readonly string[];
  readonly region?: string;
}

function keyIn(preset: Preset, env: Env): Found | undefined {
  for (const name of preset.env) {
    const key = env[name]?.trim();
    const region = preset.envRegions?.[name];
    if (key) return { key, from: [name], ...(region === undefined ? {} : { region }) };
  }
  const pair = preset.envPair?.filter((name, index) => index < 2 || env[name]);
  if (pair && pair.every((name) => env[name])) return { key: pair.map((name) => env[name]).join(':'), from: pair };
  const elsewhere = preset.envElsewhere?.find((name) => env[name]);
  return elsewhere === undefined ? undefined : { key: '', from: [elsewhere] };
}

function foundIn(preset: Preset, env: Env): EnvProvider | undefined {
  const found = preset.origin === '' ? undefined : keyIn(preset, env);
  // A key for a server of one's own says nothing of whether it runs: those are looked for on their ports.
  if (!found || (preset.local && found.region === undefined)) return undefined;
  const values: Record<string, string> = {};
  const from = [...found.from];
  for (const setting of preset.settings ?? []) {
    const name = setting.env?.find((one) => env[one]);
    const value = name === undefined ? setting.default : env[name];
    if (value === undefined) return undefined;
    if (name !== undefined) {
      values[setting.name] = value;
      from.push(name);
    }
  }
  const { region = found.region, ...settings } = values;
  return {
    preset,
    settings: {
      preset: preset.id,
      ...(found.key === '' ? {} : { key: found.key }),
      ...(region === undefined ? {} : { region }),
      ...(Object.keys(settings).length > 0 ? { settings } : {}),
    },
    from,
  };
}

/** The providers that the environment holds keys for, under the names that vendors' own tools use. A provider whose address needs a value that is not there is left out. */
export const presetsByEnv = (env: Env): readonly EnvProvider[] => ALL.flatMap((preset) => foundIn(preset, env) ?? []);
