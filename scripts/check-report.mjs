// Checks a report in a real browser: node check-report.mjs FILE.html [FILE.html …]
// Needs playwright-core and a Chromium; CHROMIUM names another than /usr/bin/chromium, SHOTS a folder for pictures.
import { mkdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error("which report? usage: node check-report.mjs FILE.html [FILE.html …]");
  process.exit(2);
}
const shots = process.env.SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
  ],
});
const problems = [];

/** The views of curves that are seen, by their classes. */
const seen = (page) => page.$$eval(".view", (views) =>
  views.filter((view) => view.offsetParent !== null).map((view) => view.className));

async function checkAxes(page, problem) {
  for (const axis of ["epochs", "updates", "samples", "seconds"]) {
    await page.locator(`label:has(#axis-${axis})`).click();
    const views = await seen(page);
    if (views.length === 0) problem(`no curve is seen over ${axis}`);
    if (!views.every((view) => view.includes(axis))) problem(`the button for ${axis} shows ${views.join(", ")}`);
  }
  const before = await seen(page);
  await page.locator("#log").check();
  const after = await seen(page);
  if (after.length !== before.length) problem("the logarithmic scale hides or doubles a curve");
  if (!after.every((view) => view.includes("log"))) problem(`the logarithmic scale shows ${after.join(", ")}`);
  await page.locator("#log").uncheck();
  await page.locator("label:has(#axis-epochs)").click();
}

async function checkReading(page, problem) {
  const chart = page.locator(".view.epochs.linear svg").first();
  await chart.scrollIntoViewIfNeeded();
  const box = await chart.boundingBox();
  await page.mouse.move(box.x + box.width * 0.4, box.y + box.height * 0.5);
  const reading = page.locator(".reading:not([hidden])");
  if (await reading.count() !== 1) return problem("the pointer on a curve reads nothing");
  if (!/epochs: [\d,.]+/.test(await reading.innerText())) problem(`the pointer reads ${await reading.innerText()}`);
  await chart.focus();
  await page.keyboard.press("ArrowRight");
  if (await reading.count() !== 1) problem("the arrow keys on a curve read nothing");
  await page.keyboard.press("Escape");
  if (await reading.count() !== 0) problem("Escape does not close the reading");
  await page.mouse.move(1, 1);
}

async function check(file, width, colorScheme) {
  const where = `${basename(file)} at ${width} px, ${colorScheme}`;
  const problem = (text) => problems.push(`${where}: ${text}`);
  const context = await browser.newContext({ viewport: { width, height: 2000 }, colorScheme });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problem(`the console says: ${message.text()}`);
  });
  page.on("pageerror", (error) => problem(`the script fails: ${error.message}`));
  page.on("dialog", async (dialog) => { problem("a dialog opens"); await dialog.dismiss(); });
  const url = pathToFileURL(resolve(file)).href;
  page.on("request", (request) => {
    if (request.url() !== url && !request.url().startsWith("data:")) problem(`it asks for ${request.url()}`);
  });
  await page.goto(url);
  const facts = await page.evaluate(() => ({
    charts: document.querySelectorAll("svg.chart[role=img]").length,
    curves: document.querySelectorAll("figure.curve").length,
    unnamed: [...document.querySelectorAll("svg[role=img]")]
      .filter((svg) => !svg.querySelector("desc") || !(svg.getAttribute("aria-label") || svg.querySelector("title"))).length,
    broken: [...document.querySelectorAll("svg *")].filter((shape) =>
      [...shape.attributes].some((attribute) => /NaN|Infinity|undefined/.test(attribute.value))).length,
    twice: [...document.querySelectorAll("[id]")].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i),
    headless: [...document.querySelectorAll("table")].filter((table) => !table.querySelector("th[scope=col]")).length,
    language: document.documentElement.lang,
    paper: getComputedStyle(document.body).backgroundColor,
  }));
  if (facts.charts === 0) problem("there is no chart");
  if (facts.unnamed > 0) problem(`${facts.unnamed} charts have no title or description`);
  if (facts.broken > 0) problem(`${facts.broken} shapes have numbers that are none`);
  if (facts.twice.length > 0) problem(`the id ${facts.twice[0]} is there twice`);
  if (facts.headless > 0) problem(`${facts.headless} tables have no header`);
  if (facts.language === "") problem("the page names no language");
  const light = facts.paper.match(/\d+/g).slice(0, 3).every((part) => Number(part) > 128);
  if (light !== (colorScheme === "light")) problem(`the paper is ${facts.paper}`);
  if (facts.curves > 0) {
    await checkAxes(page, problem);
    await checkReading(page, problem);
  }
  if (shots) await page.screenshot({ path: join(shots, `${basename(file, ".html")}-${width}-${colorScheme}.png`) });
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  if (wide > room) problem(`the page is ${wide} px wide`);
  if (shots) {
    await page.screenshot({ path: join(shots, `${basename(file, ".html")}-${width}-${colorScheme}-full.png`), fullPage: true });
  }
  await context.close();
}

/** Without JavaScript the curves are there and the buttons work too. */
async function checkWithoutScript(file) {
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1400, height: 2000 } });
  const page = await context.newPage();
  await page.goto(pathToFileURL(resolve(file)).href);
  const curves = await page.locator("figure.curve").count();
  if (curves > 0) {
    await page.locator("label:has(#axis-seconds)").click();
    const views = await page.locator(".view.seconds.linear:visible").count();
    if (views !== curves) problems.push(`${basename(file)} without JavaScript: ${views} of ${curves} curves are seen`);
  }
  await context.close();
}

try {
  for (const file of files) {
    for (const width of [360, 1400]) {
      for (const scheme of ["light", "dark"]) await check(file, width, scheme);
    }
    await checkWithoutScript(file);
  }
} catch (error) {
  problems.push(`the check could not go on: ${error.message}`);
} finally {
  await browser.close();
}
for (const problem of problems) console.error(problem);
if (problems.length === 0) console.log(`${files.length} reports are fine`);
process.exit(problems.length === 0 ? 0 : 1);
