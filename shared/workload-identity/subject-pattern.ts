const starsMax = 4;
const lengthMax = 512;

/** What stands before the owner in the subjects of issuers that many share, or that one installation runs for all. */
const ownerForms = [
  // Kubernetes: the namespace.
  'system:serviceaccount:',
  // GitHub, also Enterprise Server, and Forgejo; GitLab; Buildkite and HCP Terraform; Vercel; Codefresh; Pulumi.
  'repo:',
  'repository_owner:',
  'repository_owner_id:',
  'project_path:',
  'organization:',
  'owner:',
  'account:',
  'pulumi:deploy:org:',
  'pulumi:environments:org:',
];

/**
 * A subject, exactly, or with `*` for any run of characters but `:`, which separates the parts of a subject at every
 * issuer that has parts: what a caller can name (a branch, a job) never reaches into a part that names who it is.
 * A pattern begins with at least three literal characters up to its first `*`: one of wildcards alone names nobody.
 * Nor does one that leaves the kind of the subject or its owner open: at an issuer that a company runs for all of its
 * teams, everybody would match it.
 */
export function isSubjectPattern(pattern: string): boolean {
  const isText = pattern.length <= lengthMax && /^[\x21-\x7e]+$/.test(pattern);
  const stars = pattern.split('*').length - 1;
  return isText && stars <= starsMax && (stars === 0 || namesItsOwner(pattern));
}

function namesItsOwner(pattern: string): boolean {
  const head = pattern.slice(0, pattern.indexOf('*'));
  if (!/[A-Za-z0-9][^*]{2}/.test(head)) return false;
  if (pattern.includes(':') && !head.includes(':')) return false;
  return ownerForms.every((form) => {
    if (head.startsWith(form)) return /^[^:/]+[:/]/.test(head.slice(form.length));
    return !form.startsWith(head);
  });
}

export function isExactSubject(pattern: string): boolean {
  return !pattern.includes('*');
}

export function matchesSubject(pattern: string, subject: string): boolean {
  const wanted = pattern.split(':');
  const given = subject.split(':');
  return (
    wanted.length === given.length && wanted.every((part, place) => matchesPart(part, given[place] ?? ''))
  );
}

/** Each literal at its first place after the one before: linear, so that no subject makes it slow. */
function matchesPart(part: string, text: string): boolean {
  const [head = '', ...rest] = part.split('*');
  const tail = rest.pop();
  if (tail === undefined) return part === text;
  if (!text.startsWith(head) || text.length < head.length + tail.length || !text.endsWith(tail)) return false;
  const end = text.length - tail.length;
  let from = head.length;
  for (const literal of rest) {
    const found = text.indexOf(literal, from);
    if (found === -1 || found + literal.length > end) return false;
    from = found + literal.length;
  }
  return true;
}
