import { runPolicyCommand } from '../../policies/main.ts';

/** `npm run policy -- <args>` within this process. */
export async function runPolicy(
  ...args: string[]
): Promise<{ code: number; out: string; complaint: string }> {
  let [out, complaint] = ['', ''];
  const code = await runPolicyCommand(args, {
    write: (text) => {
      out += text;
    },
    complain: (text) => {
      complaint += text;
    },
  });
  return { code, out, complaint };
}
