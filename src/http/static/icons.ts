import type { Middleware } from 'koa';
import { answerFile, createStaticFile } from './static-file.ts';

const maxAgeSeconds = 7 * 24 * 3_600;

const svg =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2f5bd7"/><g fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"><path d="M14 17.5a4.6 4.6 0 0 0 6.9.5l2.8-2.8a4.6 4.6 0 0 0-6.5-6.5l-1.6 1.6"/><path d="M18 14.5a4.6 4.6 0 0 0-6.9-.5l-2.8 2.8a4.6 4.6 0 0 0 6.5 6.5l1.6-1.6"/></g></svg>';

/** The same in 32 × 32 pixels, for browsers that request `/favicon.ico` for every site. */
const ico = Buffer.from(
  'AAABAAEAICAAAAEAIADTBAAAFgAAAIlQTkcNChoKAAAADUlIRFIAAAAgAAAAIAgGAAAAc3p69AAABIhJREFUeJy8V3tM1VUc/5x7L4/LQyAgEMaIwHhIXDFR1EZNMzbbypaWYPlYydLKltXsH0SWwxRdLbMVQVIjNrKHpVtSW87KSSvDy4g78kXCkLc8LnC5r9P3nBsX4T6Ei97Pdvmd8/tyvp/v+b7O76gwBRkbmrIZZ1s446kAS2NAOGYBDvTS3yYG1sTBKxu+SKu7Wc7GB/dsvuofYhotBmev01sl7gQ4LER5UBWUXHi+jJnsBsx/tlmj5NYamiTDO9CamWLT31XJWoWYqaw8z4vkAhrBKQYsfb1umUKJX8kABbwIyg2rhSkWqpRKbISXyQXEhlXcuk1FmbmATeSiR1BRyuZkBmNRagDionygu2rAucZh1DePul3HOVKYJl/XT/wh8BCPLA7Gzry7ERPp4yCrrRtCSWUHBvQWFwbwTtVsyNc8FII9W+fa52f+0uPfDiOW3h+IeXF+yM0ORmKsL/IKW2Ayc4f1jLEoFTzEkvkBKHrBRq4fteKdzzpx8rcBORchKS6IwWPL5yCJDNnxdCQOVXc51eNx8j35cCjtADCaOF460GonFzCTx3d/3I7LbWNyvnq5ayfPyABfH0ZunYNdG6OgpJVnG4ZRsO8atBcdk81iBcq/75Xj8BAlIkKdO3vaIchIUuPtF+ciPtp30nvNPDUqvuvF0ZO9DmtGDdZJxjvDtDyQkxmEyqJ4B3KBILUCr66PxMEdsdIrN+PxnFD5NIxxtHebPDMgi2pbKFf8v4FT5wbx1K4rWLylGW8dabcrFuWYQd4YR35uGFYsCpLjr0/3u9TvNgTp9/rj/Tfi7O776Jse+RuHMOaXej1VQzSGqRK0/9hyoWBNBLavjZDjrhtmfHCsyyUH02zQcWcCtR/DiUOJ9uQ5/GU3KiiphCdeo8ZjsnCUfdsDg3HyckEsDBAYoRwoKLmGxisGzNgD29dG2sk//KpHkgs8QCF5bvVdcrwwOQD7qNNdonJLiPWTxI8uCZayMVGepa1uyd0asG5FmHw2Xjag7PiE2+ubR1BHfT47PRAL7lOjpiTBYa0owZ3vtd3yLBBwmoSir/v72eL+6YmeSTLRZF6mnZ0+r3eqsOW6EZuKW3BWO4zpwKkHzJaJuFqszuSUB++2YRVl/jOrwtA3aEbvgEV65+c/h6R8unDqga4+Mym1aVm3Mky23KnITFZj77YYeQSPUp3v/7wTP/4+M3KXBghU/dAnnw9qAlH6SixCgmzfqaIKtj4RjiNvxsGPypPOdFmOnsJlGQqi6r0JSIn3k3NRUrV1g3QKBk46+/d8ch3HzwzAU7CM/KYOcS47E4pd734+Giuzgh1kwqDi8g5plKcQHyRkgO4UxTjX3T+KdpyVFoD0RDWGRixo7TSh5qcb6O43Yzag8NWq6HvwAg3dGvCHbkT+bjcEt8IIawW5wggvgzj1JoWqXKGrTrtIOVAEb4OhsKkq6ZIsQ60xpZRMqoe3wPmFBmPqYTG09YFjzDLgq15GF9P9tgvknSIWuvkB4loqOMUrhx4nr+dgm+nCknZbr+ec6ejKf3Tq9fw/AAAA//+FsGu2AAAABklEQVQDAG9GtO8RLOkcAAAAAElFTkSuQmCC',
  'base64',
);

const files = new Map([
  ['/favicon.svg', createStaticFile('favicon.svg', Buffer.from(svg))],
  ['/favicon.ico', createStaticFile('favicon.ico', ico)],
]);

/** Serves the icon of the pages for visitors. */
export const serveIcons: Middleware = async (ctx, next) => {
  const file = files.get(ctx.path);
  if (file === undefined) await next();
  else answerFile(ctx, file, `public, max-age=${maxAgeSeconds}`);
};
