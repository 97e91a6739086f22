const patterns: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  {
    what: 'a PEM block',
    pattern: /-----BEGIN [A-Z0-9 ]+-----(?:[\s\S]*?-----END [A-Z0-9 ]+-----|[\s\S]*$)/g,
  },
  { what: 'one of our API keys', pattern: /\buos_[a-z]+_[A-Za-z0-9_]{8,}/g },
  { what: 'a GitHub token', pattern: /\b(?:gh[opsur]_|github_pat_)[A-Za-z0-9_]{20,}/g },
  { what: 'an AWS access key', pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  { what: 'an age identity', pattern: /\bAGE-SECRET-KEY-1[A-Z0-9]+/g },
  { what: 'a JSON Web Token', pattern: /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*/g },
];

export type FoundSecret = { readonly what: string; readonly offset: number };

/**
 * Threat: a secret pasted into a declaration would travel on in messages, plans and audit events. It is blanked
 * before anything else reads the text; white space stays, so that every position and every indentation holds.
 */
export function blankSecrets(text: string): { text: string; found: readonly FoundSecret[] } {
  const found: FoundSecret[] = [];
  let blanked = text;
  for (const { what, pattern } of patterns) {
    blanked = blanked.replace(pattern, (secret: string, offset: number) => {
      found.push({ what, offset });
      return secret.replace(/\S/g, 'x');
    });
  }
  return { text: blanked, found: found.sort((a, b) => a.offset - b.offset) };
}
