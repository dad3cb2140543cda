import type { Problem } from '../problems/problem.ts';
import { homePage } from './home-page.ts';
import { type Interstitial, interstitialPage } from './interstitial-page.ts';
import { type Preview, previewPage } from './preview-page.ts';
import { problemPage } from './problem-pages.ts';
import { reportPage, reportReceivedPage } from './report-page.ts';
import { inEachLanguage, type LanguageNegotiation, negotiateLanguage } from './texts/languages.ts';
import type { Site } from './visitor-page.ts';

/** Renders the pages for visitors in the language that a client prefers. */
export type Pages = ReturnType<typeof createPages>;

/** The pages for visitors of a service. */
export function createPages(site: Site) {
  const pages = inEachLanguage((texts) => {
    const context = { site, texts };
    return {
      home: () => homePage(context),
      interstitial: (visit: Interstitial) => interstitialPage(context, visit),
      preview: (preview: Preview) => previewPage(context, preview),
      problem: (problem: Problem, shortCode: string | undefined) => problemPage(context, problem, shortCode),
      report: (shortCode: string) => reportPage(context, shortCode),
      reportReceived: () => reportReceivedPage(context),
    };
  });
  return (client: LanguageNegotiation) => pages[negotiateLanguage(client)];
}
