import { z } from 'zod';
import { gitSourceView } from './git-source.schema.ts';

export const registerGitSourceBody = {
  url: z.string().max(2048).describe('http(s) URL of the repository, without a credential'),
  ref: z.string().max(255).default('main').describe('Branch that declares organizations'),
};

export const registeredGitSourceView = gitSourceView.extend({
  webhookSecret: z.string().describe("For the repository host's webhook settings. It is shown this once"),
});
