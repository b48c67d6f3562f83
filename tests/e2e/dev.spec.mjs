// What an author sees with `kubonsai dev`: the page with the lessons that are being written, read again at every change.
import { createServer } from "node:http";
import { LESSON, withAuthor } from "./author.mjs";
import { openLesson, prompt, saved, screenShows, type } from "./learner.mjs";

/** A host that serves the built page on a port of its own, until it is closed. */
async function host(url) {
  const server = createServer(async (request, response) => {
    const answer = await fetch(new URL(`.${request.url}`, url));
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type"), connection: "close" });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { port: server.address().port, close: () => new Promise((closed) => server.close(closed)) };
}

export default [
  {
    name: "an author's change is shown at once, a mistake is said, and the session stays",
    options: { locale: "en-US", serviceWorkers: "allow" },
    async run({ page, shot }) {
      await withAuthor(0, async (address, change) => {
        await openLesson(page, address, "create-cluster");
        await type(page, "echo kept");
        await saved(page, "echo kept");
        await change("lesson.en.md", (text) => text.replace("title: Create a cluster", "title: Grow a cluster"));
        await page.locator(".lesson h1").filter({ hasText: "Grow a cluster" }).waitFor();
        await screenShows(page, /\nkept\n/, { seconds: 60 });
        await change("checks.yaml", (text) => `${text}\n  - nonsense: [`);
        await page.locator("#kubonsai-dev").filter({ hasText: "checks.yaml" }).waitFor();
        await shot("author's mistake");
        await change("checks.yaml", (text) => text.replace("\n  - nonsense: [", ""));
        await page.locator("#kubonsai-dev").waitFor({ state: "detached" });
        await prompt(page, { seconds: 60 });
        // The page would miss what ends now.
        await page.goto("about:blank");
      });
    },
  },
  {
    name: "a copy of the page that the browser has kept gives way to the author's",
    options: { locale: "en-US", serviceWorkers: "allow" },
    allow: [/ERR_CONNECTION_(REFUSED|RESET)/],
    async run({ page, url }) {
      const before = await host(url);
      const address = `http://127.0.0.1:${before.port}/`;
      await page.goto(address);
      await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated", undefined, { timeout: 60_000 });
      await before.close();
      await withAuthor(before.port, async (_, change) => {
        await change("lesson.en.md", (text) => text.replace("title: Create a cluster", "title: Grow a cluster"));
        await page.goto(`${address}#/${LESSON}`);
        await page.reload();
        await page.locator(".lesson h1").filter({ hasText: "Grow a cluster" }).waitFor({ timeout: 60_000 });
        const kept = await page.evaluate(async () => (await caches.keys()).length);
        if (kept !== 0) {
          throw new Error(`${kept} copies are kept`);
        }
      });
    },
  },
];
