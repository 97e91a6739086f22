import { isExactSubject } from './subject-pattern.ts';
import type { TrustRule } from './trust-rule.ts';

/**
 * Issuers that sign for everybody: whoever has an account there gets a token that verifies. A rule for one must pin
 * the owner by an id that its issuer never gives to another: names can be freed and taken (GitHub documents it for
 * `repository_owner_id`). One of `claims` must be required, or the subject be exact where the subject is such an id, or
 * where the issuer says nothing better.
 */
type SharedIssuer = {
  readonly name: string;
  /** Of the issuer's URL. */
  readonly hosts: readonly string[];
  readonly claims?: readonly string[];
  readonly isExactSubjectEnough?: true;
  /** The issuer's own path, where several share a host; absent: any. */
  readonly path?: RegExp;
  /** Issuers that are already one owner's, by the path. */
  readonly ownPath?: RegExp;
};

const uuid = '[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}';
const microsoftHosts = [
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'sts.windows.net',
];
/** The directory of all personal accounts: a directory like any other by its form. */
const personalDirectory = /^\/9188040d-6c67-4c5b-b112-36a304b66dad(?:\/|$)/i;

const sharedIssuers: readonly SharedIssuer[] = [
  {
    name: 'GitHub Actions',
    hosts: ['token.actions.githubusercontent.com'],
    claims: ['/repository_owner_id', '/enterprise_id'],
  },
  {
    name: 'GitLab',
    hosts: [
      'gitlab.com',
      'dev.gitlab.org',
      'ops.gitlab.net',
      'gitlab.archlinux.org',
      'gitlab.freedesktop.org',
      'gitlab.gnome.org',
      'salsa.debian.org',
    ],
    claims: ['/namespace_id'],
  },
  { name: 'Google', hosts: ['accounts.google.com'], isExactSubjectEnough: true },
  {
    name: 'CircleCI',
    hosts: ['oidc.circleci.com'],
    claims: ['/oidc.circleci.com~1org-id'],
    ownPath: new RegExp(`^/org/${uuid}$`),
  },
  { name: 'Bitbucket', hosts: ['api.bitbucket.org'], claims: ['/workspaceUuid'] },
  {
    name: 'Microsoft personal accounts',
    hosts: microsoftHosts,
    path: personalDirectory,
    isExactSubjectEnough: true,
  },
  {
    name: 'Microsoft',
    hosts: microsoftHosts,
    claims: ['/tid'],
    ownPath: new RegExp(`^/${uuid}(?:/v2\\.0|/)?$`),
  },
  { name: 'HCP Terraform', hosts: ['app.terraform.io'], claims: ['/terraform_organization_id'] },
  { name: 'Buildkite', hosts: ['agent.buildkite.com'], claims: ['/organization_id'] },
  { name: 'Vercel', hosts: ['oidc.vercel.com'], claims: ['/owner_id'] },
  { name: 'Fly.io', hosts: ['oidc.fly.io'], claims: ['/org_id'] },
  { name: 'Codefresh', hosts: ['oidc.codefresh.io'], claims: ['/account_id'] },
  { name: 'Modal', hosts: ['oidc.modal.com'], claims: ['/workspace_id'] },
  { name: 'Pulumi', hosts: ['api.pulumi.com'], isExactSubjectEnough: true },
  { name: 'Chainguard', hosts: ['issuer.enforce.dev'], isExactSubjectEnough: true },
  { name: 'Amazon Cognito', hosts: ['cognito-identity.amazonaws.com'], isExactSubjectEnough: true },
  { name: 'Sigstore', hosts: ['oauth2.sigstore.dev'], isExactSubjectEnough: true },
  { name: 'Hellō', hosts: ['issuer.hello.coop'], isExactSubjectEnough: true },
  { name: 'Kaggle', hosts: ['www.kaggle.com'], isExactSubjectEnough: true },
  { name: 'Apple', hosts: ['appleid.apple.com'], isExactSubjectEnough: true },
];

export type MissingPin = { readonly issuerName: string; readonly claims: readonly string[] };

/** What a rule of a shared issuer lacks; undefined when it pins its owner, or the issuer is not a shared one. */
export function findMissingPin(
  rule: Pick<TrustRule, 'issuer' | 'subjectPattern' | 'requiredClaims'>,
): MissingPin | undefined {
  const { hostname, pathname } = new URL(rule.issuer);
  const shared = sharedIssuers.find(
    ({ hosts, path }) => hosts.includes(hostname) && (path === undefined || path.test(pathname)),
  );
  if (shared === undefined || shared.ownPath?.test(pathname)) return undefined;
  const claims = shared.claims ?? [];
  if (rule.requiredClaims.some(({ pointer }) => claims.includes(pointer))) return undefined;
  if (shared.isExactSubjectEnough && isExactSubject(rule.subjectPattern)) return undefined;
  return { issuerName: shared.name, claims };
}
