import { type FunctionProcess, startFunctionProcess } from './function-process.ts';

export type AuthorizeProcess = FunctionProcess;

export type AuthorizeProcessOptions = {
  readonly databaseUrl: string;
  readonly wrappingKeyFile: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A bundle instead of the source. */
  readonly program?: string;
};

export function startAuthorizeProcess(options: AuthorizeProcessOptions): Promise<AuthorizeProcess> {
  const env = {
    DATABASE_URL: options.databaseUrl,
    WRAPPING_KEY_FILE: options.wrappingKeyFile,
    ISSUER_URL: 'https://token.example.test',
    AUDIENCE: 'https://api.example.test',
    PUBLIC_URL: 'https://authorize.example.test',
    ...options.env,
  };
  return startFunctionProcess('authorize', env, options.program);
}
