// Sessions that go back, leave the page and come into it.
import { readFile } from "node:fs/promises";
import { allLessons } from "./courses.mjs";
import { allReached, openLesson, playLesson, prompt, screen, screenShows, type } from "./learner.mjs";

const LINK_CHARS_MAX = 32 * 1024;
/** The aim is one second on a machine that does nothing else. */
const RESTORE_SECONDS_MAX = 4;

function assert(condition, words) {
  if (!condition) {
    throw new Error(words);
  }
}

/** Chooses an item of the session's menu. */
async function menu(page, item) {
  await page.locator(".session-menu > button").click();
  await page.locator(".session-menu .menu button").filter({ hasText: item }).click();
}

const UNDO = /Undo|取り消/;
const LINK = /link|リンク/;
const SAVE = /Save to|保存/;

async function linkOf(page) {
  await menu(page, LINK);
  return page.locator(".share input").inputValue();
}

/** The session lives and its terminal is at the prompt. */
async function lives(page) {
  await page.waitForSelector(".screen .xterm-rows", { timeout: 60_000 });
  await page.waitForSelector(".cover", { state: "detached", timeout: 60_000 });
  await prompt(page, { seconds: 60 });
}

/** Does something in a browser profile that has never seen the page. */
async function inFreshProfile({ context }, visit) {
  const fresh = await context.browser().newContext({ viewport: { width: 1280, height: 720 }, locale: "en-US" });
  try {
    return await visit(await fresh.newPage());
  } finally {
    await fresh.close();
  }
}

export default [
  {
    name: "the last command is taken back, and the one before it",
    options: { locale: "en-US" },
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await type(page, "kubectl create namespace first");
      await type(page, "kubectl create namespace second");
      await page.locator(".session-menu > button").click();
      await shot("session menu");
      await page.keyboard.press("Escape");
      await menu(page, UNDO);
      await lives(page);
      await screenShows(page, (text) => /namespace\/first created\n.*\$$/.test(text) && !text.includes("second"));
      await menu(page, UNDO);
      await screenShows(page, (text) => /^\S*\$$/.test(text));
      await lives(page);
      await type(page, "kubectl get namespaces");
      const text = await screenShows(page, /kube-system/);
      assert(!/first|second/.test(text.split("get namespaces")[1]), `they are still there:\n${text}`);
      await menu(page, UNDO);
      // What was there before is at the prompt too; and the menu closes when a session that has come back takes the keyboard.
      await screenShows(page, (text) => /^\S*\$$/.test(text));
      await lives(page);
      await menu(page, UNDO);
      await page.locator(".notice").filter({ hasText: "no command to undo" }).waitFor();
    },
  },
  {
    name: "a link brings a whole lesson into a fresh profile",
    options: { locale: "en-US" },
    seconds: 300,
    async run({ page, context, url, shot }) {
      const { course, lesson } = (await allLessons()).at(-1);
      await openLesson(page, url, lesson, course);
      await playLesson(page);
      const before = await screen(page);
      const link = await linkOf(page);
      await shot("share link");
      console.log(`        the link of ${lesson} has ${link.length} letters`);
      assert(link.length <= LINK_CHARS_MAX, `the link has ${link.length} letters`);
      await inFreshProfile({ context }, async (other) => {
        await other.goto(link);
        await lives(other);
        assert(other.url().endsWith(`#/${course}/${lesson}`), other.url());
        await allReached(other);
        assert((await screen(other)) === before, `there:\n${await screen(other)}\nhere:\n${before}`);
        await other.waitForTimeout(1_500);
        await other.reload();
        await lives(other);
        const took = await other.evaluate(() => {
          const at = (name) => performance.getEntriesByName(name).at(-1).startTime;
          return (at("live") - at("opened")) / 1000;
        });
        console.log(`        a reload restores it in ${took.toFixed(2)} s`);
        assert(took < RESTORE_SECONDS_MAX, `a reload takes ${took} s`);
        assert((await screen(other)) === before, "the reload shows something else");
      });
    },
  },
  {
    name: "a link does not take the place of one's own session without asking",
    async run({ page, context, url }) {
      await openLesson(page, url, "create-cluster");
      await type(page, "echo from the link");
      const link = await linkOf(page);
      await inFreshProfile({ context }, async (other) => {
        await openLesson(other, url, "create-cluster");
        await type(other, "echo my own");
        await other.waitForTimeout(1_500);
        const asked = [];
        let answer = false;
        other.on("dialog", async (dialog) => {
          asked.push(dialog.message());
          await (answer ? dialog.accept() : dialog.dismiss());
        });
        await other.goto("about:blank");
        await other.goto(link);
        await lives(other);
        await screenShows(other, /\nmy own\n/);
        assert(asked.length === 1, `asked ${asked.length} times`);
        answer = true;
        await other.goto("about:blank");
        await other.goto(link);
        await lives(other);
        await screenShows(other, /\nfrom the link\n/);
      });
    },
  },
  {
    name: "a file of a session is saved, and opened elsewhere",
    async run({ page, context, url }) {
      await openLesson(page, url, "create-cluster");
      await type(page, "export SAVED=yes");
      const downloading = page.waitForEvent("download");
      await menu(page, SAVE);
      const download = await downloading;
      assert(/^[\w-]+\.kubonsai\.json$/.test(download.suggestedFilename()), download.suggestedFilename());
      const file = await download.path();
      await inFreshProfile({ context }, async (other) => {
        await other.goto(url);
        await other.waitForSelector("[data-worker=ready]");
        await other.locator(".session-menu input").setInputFiles(file);
        await lives(other);
        await type(other, "echo $SAVED");
        await screenShows(other, /\nyes\n/);
        // Into the lesson that is open, too.
        other.on("dialog", (dialog) => dialog.accept());
        await other.waitForTimeout(1_200);
        await other.locator(".session-menu input").setInputFiles(file);
        await screenShows(other, (text) => text.includes("SAVED=yes") && !text.includes("echo"));
        const bytes = (await readFile(file, "utf8")).replace("kubonsai session 1", "something else");
        await other.locator(".session-menu input").setInputFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from(bytes) });
        await other.locator(".notice pre").filter({ hasText: "something else" }).waitFor();
      });
    },
  },
  {
    name: "a damaged link is a notice, and the page works",
    async run({ page, url, shot }) {
      await page.goto(`${url}#share=AAAA`);
      await page.locator(".notice pre").filter({ hasText: "damaged" }).waitFor();
      await shot("damaged link");
      await openLesson(page, url, "create-cluster");
      await type(page, "echo works");
      await screenShows(page, /\nworks\n/);
    },
  },
  {
    name: "two tabs on one session: the second is a copy until it takes over",
    options: { locale: "en-US" },
    async run({ page, context, url, shot }) {
      await openLesson(page, url, "create-cluster");
      await type(page, "echo first tab");
      await page.waitForTimeout(1_200);
      const second = await context.newPage();
      await openLesson(second, url, "create-cluster");
      await second.locator(".banner").filter({ hasText: "another tab" }).waitFor();
      assert((await page.locator(".banner").count()) === 0, "the first tab says that it is a copy");
      await type(second, "echo not saved");
      await type(page, "echo more");
      await page.waitForTimeout(1_200);
      await shot("second tab", second);
      await second.locator(".banner button").click();
      await page.locator(".banner").filter({ hasText: "another tab" }).waitFor();
      await second.locator(".banner").waitFor({ state: "detached" });
      const text = await screenShows(second, /\nmore\n/);
      assert(!text.includes("not saved"), `the copy was saved:\n${text}`);
      await type(second, "echo second tab");
      await second.waitForTimeout(1_200);
      await type(page, "echo lost");
      await page.waitForTimeout(1_200);
      await shot("first tab taken over");
      await page.close();
      await second.reload();
      await lives(second);
      const after = await screen(second);
      assert(after.includes("second tab") && !after.includes("lost"), after);
      assert((await second.locator(".banner").count()) === 0, "a reload made it a copy");
    },
  },
  {
    name: "a full storage is said and the session goes on",
    async run({ page, context, url }) {
      await context.route("**/worker-*.js", async (route) => {
        const response = await route.fetch();
        const full = `IDBObjectStore.prototype.put = () => { throw new DOMException("the disk is full", "QuotaExceededError"); };`;
        await route.fulfill({ response, body: `${full}\n${await response.text()}` });
      });
      await openLesson(page, url, "create-cluster");
      await page.locator(".notice").filter({ hasText: "full" }).waitFor();
      await type(page, "echo goes on");
      await screenShows(page, /\ngoes on\n/);
    },
  },
];
