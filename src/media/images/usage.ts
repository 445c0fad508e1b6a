import { isObject, type Json, type JsonObject, type Usage } from '../../ir/index.ts';

const count = (from: Json | undefined, key: string): number | undefined => {
  const value = isObject(from) ? from[key] : undefined;
  return typeof value === 'number' ? value : undefined;
};

/** OpenAI's usage of images. https://platform.openai.com/docs/api-reference/images/object */
export function readUsage(usage: Json | undefined): Usage | undefined {
  const input = count(usage, 'input_tokens') ?? count(usage, 'prompt_tokens');
  const output = count(usage, 'output_tokens') ?? count(usage, 'completion_tokens');
  if (!isObject(usage) || (input === undefined && output === undefined)) return undefined;
  const inputImage = count(usage['input_tokens_details'], 'image_tokens');
  const outputImage = count(usage['output_tokens_details'], 'image_tokens');
  return {
    input: input ?? 0,
    output: output ?? 0,
    ...(inputImage === undefined ? {} : { inputImage }),
    ...(outputImage === undefined ? {} : { outputImage }),
  };
}

/** The same, written. */
export const writeUsage = ({ input, output, inputImage, outputImage }: Usage): JsonObject => ({
  input_tokens: input,
  input_tokens_details: { image_tokens: inputImage ?? 0, text_tokens: input - (inputImage ?? 0) },
  output_tokens: output,
  ...(outputImage === undefined ? {} : { output_tokens_details: { image_tokens: outputImage, text_tokens: output - outputImage } }),
  total_tokens: input + output,
});
