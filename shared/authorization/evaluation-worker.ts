import { runEvaluations } from './run-evaluations.ts';

// The script of the thread, run from source. A function's bundle has one of its own beside it.
await runEvaluations();
