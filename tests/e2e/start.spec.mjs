// The page starts, wherever it is hosted, with no more than it needs.
import { openLesson, screenShows, type } from "./learner.mjs";

const REST = "**/worker-rest-*.wasm";

async function starts(page, url) {
  await page.goto(url);
  await page.waitForSelector("[data-worker=ready]");
}

export default [
  {
    name: "the page and its worker start",
    run: ({ page, url }) => starts(page, url),
  },
  {
    name: "the first prompt needs the first part of the worker alone",
    async run({ page, context, url }) {
      let [asked, release] = [false, () => {}];
      const held = new Promise((resolve) => (release = resolve));
      await context.route(REST, async (route) => {
        asked = true;
        await held;
        await route.continue();
      });
      await openLesson(page, url, "create-cluster");
      await page.keyboard.type("echo whole");
      while (!asked) {
        await page.waitForTimeout(50);
      }
      release();
      await page.keyboard.press("Enter");
      await screenShows(page, /\nwhole\n/);
    },
  },
  {
    name: "the rest of the worker is fetched again when it could not be had at first",
    async run({ page, context, url }) {
      let refused = 0;
      await context.route(REST, (route) => (refused++ === 0 ? route.abort() : route.continue()));
      await openLesson(page, url, "create-cluster");
      await page.waitForTimeout(500);
      await type(page, "echo whole");
      await screenShows(page, /\nwhole\n/);
      if (refused < 2) {
        throw new Error(`the rest was asked for ${refused} times`);
      }
    },
    allow: [/ERR_FAILED/],
  },
  {
    name: "they start under a sub-path",
    run: ({ page, subPathUrl }) => starts(page, subPathUrl),
  },
];
