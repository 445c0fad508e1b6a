/** OpenAI's voices that Gemini's sound like. https://ai.google.dev/gemini-api/docs/speech-generation#voices */
export const GEMINI_AS_OPENAI: Readonly<Record<string, string>> = {
  Zephyr: 'nova',
  Puck: 'fable',
  Charon: 'onyx',
  Kore: 'alloy',
  Fenrir: 'fable',
  Leda: 'coral',
  Orus: 'ash',
  Aoede: 'shimmer',
  Callirrhoe: 'shimmer',
  Autonoe: 'nova',
  Enceladus: 'echo',
  Iapetus: 'ash',
  Umbriel: 'echo',
  Algieba: 'ash',
  Despina: 'shimmer',
  Erinome: 'sage',
  Algenib: 'onyx',
  Rasalgethi: 'onyx',
  Laomedeia: 'coral',
  Achernar: 'shimmer',
  Alnilam: 'ash',
  Schedar: 'echo',
  Gacrux: 'sage',
  Pulcherrima: 'alloy',
  Achird: 'fable',
  Zubenelgenubi: 'echo',
  Vindemiatrix: 'sage',
  Sadachbia: 'fable',
  Sadaltager: 'onyx',
  Sulafat: 'sage',
};

/** A provider's voices by OpenAI's names, and by Gemini's through them. Newer voices of OpenAI's stand for an older one where they are not named. */
export function voicesLike(openai: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const all: Record<string, string> = { ...openai };
  const same = { marin: 'coral', cedar: 'ash', verse: 'fable', ballad: 'ash' };
  for (const [voice, like] of [...Object.entries(same), ...Object.entries(GEMINI_AS_OPENAI)]) {
    const own = all[voice] ?? openai[like];
    if (own !== undefined) all[voice] = own;
  }
  return all;
}
