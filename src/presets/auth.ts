import { awsSigned } from './aws-auth.ts';
import type { Auth } from './preset.ts';
import { entraToken, googleToken } from './token-auth.ts';

/** The key alone in a header of the vendor's own. */
export const header = (name: string): Auth => ({ kind: 'fixed', headers: (key) => ({ [name]: key }) });

/** `Authorization: Bearer …`. */
export const bearer: Auth = { kind: 'fixed', headers: (key) => ({ authorization: `Bearer ${key}` }) };

const isJson = (key: string): boolean => key.trimStart().startsWith('{');

/**
 * Google Cloud: the JSON of a service account, nothing (application default credentials), or an API key.
 * https://cloud.google.com/vertex-ai/generative-ai/docs/start/api-keys
 */
export const google: Auth = { kind: 'by-key', pick: (key) => (key === '' || isJson(key) ? googleToken : header('x-goog-api-key')) };

/**
 * Azure: an API key in `name`, or `{"tenantId","clientId","clientSecret"}` of a service principal.
 * https://learn.microsoft.com/azure/ai-foundry/openai/reference#authentication
 */
export const azure = (name: string): Auth => ({ kind: 'by-key', pick: (key) => (isJson(key) ? entraToken : header(name)) });

/**
 * Bedrock: an API key, or `accessKeyId:secretAccessKey[:sessionToken]`, neither of which an API key can hold.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html
 */
export const bedrock: Auth = { kind: 'by-key', pick: (key) => (key.includes(':') ? awsSigned('bedrock') : bearer) };
