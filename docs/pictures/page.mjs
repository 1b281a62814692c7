// node page.mjs CHROMIUM JOB OUT.png <summary.md: draws a job summary as GitHub shows it, Mermaid's charts too.
//
// The Markdown is GitHub's flavour (marked), the style is GitHub's own (github-markdown-css), the browser is a real one.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { marked } from "marked";
import puppeteer from "puppeteer-core";

const [chromium, job, out] = process.argv.slice(2);
const find = createRequire(import.meta.url).resolve;
const style = readFileSync(find("github-markdown-css/github-markdown-light.css"), "utf8");
const markdown = readFileSync(0, "utf8");

// The width of the column on a run's page, on a screen of 1280 pixels.
const width = 940;
const page = `<!doctype html><meta charset="utf-8"><style>${style}
body { margin: 0; width: ${width}px; background: #fff; }
#card { border: 1px solid #d1d9e0; border-radius: 6px; }
#head { padding: 16px; font: 600 14px -apple-system, "Segoe UI", "Liberation Sans", sans-serif; color: #1f2328;
  border-bottom: 1px solid #d1d9e0; }
#head span { font-weight: 400; color: #59636e; }
.markdown-body { padding: 16px; }
pre.mermaid { background: none; text-align: center; }
</style><div id="card"><div id="head">${job} <span>summary</span></div>
<article class="markdown-body">${marked.parse(markdown, { gfm: true })}</article></div>`;

const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-gpu"] });
try {
  const tab = await browser.newPage();
  await tab.setViewport({ width, height: 800, deviceScaleFactor: 1.5 });
  await tab.setContent(page);
  await tab.addScriptTag({ path: find("mermaid/dist/mermaid.min.js") });
  const wrong = await tab.evaluate(async () => {
    for (const code of document.querySelectorAll("code.language-mermaid")) {
      const chart = document.createElement("pre");
      chart.className = "mermaid";
      chart.textContent = code.textContent;
      code.parentElement.replaceWith(chart);
    }
    globalThis.mermaid.initialize({ startOnLoad: false });
    try {
      await globalThis.mermaid.run();
    } catch (error) {
      return String(error.message ?? error);
    }
    return "";
  });
  if (wrong) throw new Error(`Mermaid refuses the chart: ${wrong}`);
  const card = await tab.$("#card");
  await card.screenshot({ path: out });
} finally {
  await browser.close();
}
