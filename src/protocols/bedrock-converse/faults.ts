import { type Fault, type FaultKind, isObject, type JsonObject, kindOfStatus, parseObject, wordTable } from '../../ir/index.ts';

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html and each operation's own. */
const ERRORS: Readonly<Record<string, { readonly kind: FaultKind; readonly status: number }>> = wordTable({
  validationException: { kind: 'bad_request', status: 400 },
  accessDeniedException: { kind: 'permission', status: 403 },
  expiredTokenException: { kind: 'authentication', status: 401 },
  unrecognizedClientException: { kind: 'authentication', status: 401 },
  resourceNotFoundException: { kind: 'not_found', status: 404 },
  conflictException: { kind: 'conflict', status: 409 },
  modelTimeoutException: { kind: 'timeout', status: 504 },
  throttlingException: { kind: 'rate_limit', status: 429 },
  serviceQuotaExceededException: { kind: 'rate_limit', status: 429 },
  modelNotReadyException: { kind: 'overloaded', status: 503 },
  serviceUnavailableException: { kind: 'overloaded', status: 503 },
  modelErrorException: { kind: 'upstream', status: 502 },
  modelStreamErrorException: { kind: 'upstream', status: 502 },
  internalServerException: { kind: 'upstream', status: 502 },
});

const MAX_MESSAGE = 2000;

/** `com.amazon…#ThrottlingException:http://…` and `throttlingException` are one name. */
const bareName = (name: string): string => {
  const bare = name.slice(name.lastIndexOf('#') + 1).split(':')[0] ?? '';
  return bare.charAt(0).toLowerCase() + bare.slice(1);
};

function said(body: JsonObject): string | undefined {
  const message = body['message'] ?? body['Message'] ?? body['errorMessage'];
  return typeof message === 'string' && message !== '' ? message.slice(0, MAX_MESSAGE) : undefined;
}

/** Reads an error body: `{"message"}`, with the error's name in `__type` where the server puts it there; HTML and empty ones too. */
export function decodeFault(status: number, body: string): Fault {
  const parsed = parseObject(body) ?? {};
  const type = typeof parsed['__type'] === 'string' ? parsed['__type'] : undefined;
  const named = type === undefined ? undefined : ERRORS[bareName(type)];
  return {
    kind: named && (status === 400 || status === 500) ? named.kind : kindOfStatus(status),
    status,
    message: said(parsed) ?? `The upstream answered with status ${status} and no message`,
    by: 'upstream',
    ...(type === undefined ? {} : { rawType: type }),
  };
}

/** Reads an exception in a stream, as the framing gives it: `{"type":"error","error":{"type","message"}}`. */
export function decodeException(value: JsonObject): Fault {
  const error = isObject(value['error']) ? value['error'] : value;
  const type = typeof error['type'] === 'string' ? error['type'] : '';
  const { kind, status } = ERRORS[bareName(type)] ?? { kind: 'upstream', status: 502 };
  return {
    kind,
    status,
    message: said(error) ?? 'The upstream ended the stream with an error',
    by: 'upstream',
    ...(type === '' ? {} : { rawType: type }),
  };
}
