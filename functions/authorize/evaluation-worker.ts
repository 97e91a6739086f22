import { runEvaluations } from '../../shared/authorization/index.ts';

// The thread of a policy that is not ours, bundled beside the function: there its owner looks for it.
await runEvaluations();
