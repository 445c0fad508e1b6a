/** This dialect's name in residue, natives and seals. */
export const DIALECT = 'bedrock-converse';

/** Tool names: `[a-zA-Z0-9_-]+`, 64 characters. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html */
export const TOOL_NAME_RULE = { max: 64 } as const;

/**
 * Signatures of thinking are Claude's own and open on each of its platforms, so they bear its dialect's name and go back
 * through either. https://platform.claude.com/docs/en/build-with-claude/extended-thinking
 */
export const SIGNATURE_BY = 'anthropic-messages';

/** The key under which arguments that are not a JSON object are put, since `input` can be nothing else. */
export const UNPARSED_ARGUMENTS = 'unparsed_arguments';
