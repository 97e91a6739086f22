export {
  CommandError,
  onlyPlace,
  readArguments,
  toPath,
  toWholeNumber,
  UsageError,
} from '../../knative/local/command-line.ts';

export type PolicyCommand = {
  readonly summary: string;
  readonly usage: string;
  /** False when the answer is no. Throws `UsageError` or `CommandError` for what the person can put right. */
  run(args: readonly string[], write: (text: string) => void): Promise<boolean>;
};
