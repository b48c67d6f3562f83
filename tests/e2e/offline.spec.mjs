// The copy of the page that the service worker keeps: without a network, and when there is a newer build.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { openLesson, screenShows, type } from "./learner.mjs";

const KEPT_SECONDS_MAX = 60;

/** The copy is complete and answers for the page. */
async function kept(page) {
  await page.waitForSelector("[data-worker=ready]");
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated", undefined, {
    timeout: KEPT_SECONDS_MAX * 1000,
  });
}

/** A host whose page can become another build: what it serves is the tested page with a different description. */
async function changingHost(url) {
  let newer = false;
  const change = (page) => page.replace("learn it by doing", "a newer build");
  const server = createServer(async (request, response) => {
    const answer = await fetch(new URL(`.${request.url}`, url));
    let body = Buffer.from(await answer.arrayBuffer());
    if (newer && request.url === "/") {
      body = Buffer.from(change(body.toString()));
    }
    if (newer && request.url === "/sw.js") {
      const page = await (await fetch(url)).text();
      const digest = (text) => createHash("sha256").update(text).digest("hex");
      body = Buffer.from(body.toString().replace(digest(page), digest(change(page))).replace(/"id": ?"/, "$&newer-"));
    }
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type"), "cache-control": "no-cache" });
    response.end(body);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    publish: () => { newer = true; },
    close: () => server.close(),
  };
}

export default [
  {
    name: "after the first visit the page and its images work without a network, under a sub-path",
    options: { serviceWorkers: "allow", locale: "ja-JP" },
    allow: [/ERR_INTERNET_DISCONNECTED|Failed to load resource/],
    async run({ page, context, subPathUrl, shot }) {
      await page.goto(subPathUrl);
      await kept(page);
      await context.setOffline(true);
      await page.reload();
      await openLesson(page, subPathUrl, "deploy-app");
      await type(page, "kubectl create deployment web --image=gcr.io/google-samples/kubernetes-bootcamp:v1");
      await type(page, "kubectl rollout status deployment web", { seconds: 60 });
      await screenShows(page, /successfully rolled out/);
      // An image that does not exist is one that is not found, and no failure of the network.
      await type(page, "kubectl create deployment nosuch --image=nosuch:v1");
      await page.locator(".clock button").nth(3).click();
      await screenShows(page, /\$$/);
      await page.waitForTimeout(2_000);
      await type(page, "kubectl get events | grep -i pull");
      await screenShows(page, /pull access denied for nosuch/, { seconds: 20 });
      await shot("offline");
    },
  },
  {
    name: "a newer build is announced, and taken when the learner says so",
    options: { serviceWorkers: "allow", locale: "en-US" },
    async run({ page, url, shot }) {
      const host = await changingHost(url);
      const description = () => page.locator("meta[name=description]").getAttribute("content");
      try {
        await page.goto(host.url);
        await kept(page);
        const first = await description();
        host.publish();
        await page.reload();
        if ((await description()) !== first) {
          throw new Error("the newer build came by itself");
        }
        await page.locator(".banner").filter({ hasText: "new version" }).waitFor({ timeout: KEPT_SECONDS_MAX * 1000 });
        await shot("new version");
        await page.locator(".banner button").click();
        await page.waitForFunction(() => document.querySelector("meta[name=description]").content.includes("a newer build"));
        await page.waitForSelector("[data-worker=ready]");
        const caches = await page.evaluate(async () => (await globalThis.caches.keys()).length);
        if (caches !== 1) {
          throw new Error(`${caches} copies are kept`);
        }
      } finally {
        host.close();
      }
    },
  },
];
