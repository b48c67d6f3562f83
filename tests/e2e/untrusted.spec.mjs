// What strangers may put in front of the learner: lesson text and pages that pods serve. It stays content.
import { withAuthor } from "./author.mjs";
import { openLesson, screenShows, type } from "./learner.mjs";

/** Every way in that a text has: each would set a global if it ran. */
const HOSTILE = [
  "<script>globalThis.hacked = 'script'</script>",
  "<img src=x onerror=\"top.hacked = 'img'\">",
  "<svg onload=\"top.hacked = 'svg'\"></svg>",
  "<iframe srcdoc=\"<script>top.hacked = 'frame'</script>\"></iframe>",
  "<a href=\"javascript:top.hacked='link'\" id=\"hostile-link\">a link</a>",
  "<form action=\"https://example.com/\"><button>send</button></form>",
  "<meta http-equiv=\"refresh\" content=\"0;url=https://example.com/\">",
  "<base href=\"https://example.com/\">",
  "<link rel=\"stylesheet\" href=\"https://example.com/x.css\">",
];

const hacked = (page) => page.evaluate(() => globalThis.hacked);

function assert(condition, words) {
  if (!condition) {
    throw new Error(words);
  }
}

/** Has nginx serve a page, and opens it in the browser of the machine. */
async function servePage(page, html) {
  const manifest = [
    "apiVersion: v1", "kind: ConfigMap", "metadata: {name: page}", "data:", "  index.html: |", `    ${html}`, "---",
    "apiVersion: v1", "kind: Pod", "metadata: {name: web, labels: {app: web}}", "spec:", "  containers:",
    "  - {name: web, image: nginx, volumeMounts: [{name: page, mountPath: /usr/share/nginx/html}]}",
    "  volumes: [{name: page, configMap: {name: page}}]", "---",
    "apiVersion: v1", "kind: Service", "metadata: {name: web}",
    "spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}", "",
  ].join("\n");
  await page.locator(".screen:not(.hidden) .xterm-helper-textarea").focus();
  await page.keyboard.type("nano web.yaml\n");
  await page.locator(".editor .cm-content").click();
  await page.keyboard.insertText(manifest);
  await page.locator(".editor .bar .main").click();
  await type(page, "kubectl apply -f web.yaml");
  await type(page, "kubectl wait --for=condition=Ready pod/web --timeout=120s", { seconds: 60 });
  await type(page, "minikube service web", { seconds: 60 });
}

/** The page of the pod, on its stage. */
const podPage = (page) => page.frameLocator(".browser iframe").frameLocator("iframe");

/** Hostile markup of a lesson stands there as text and has done nothing. */
async function isHarmless(page) {
  const lesson = page.locator("article.lesson");
  assert((await lesson.innerText()).includes("<script>globalThis.hacked = 'script'</script>"), await lesson.innerText());
  assert((await lesson.locator("script, img, svg[onload], iframe, form, meta, base, link, [onerror]").count()) === 0, "an element was made");
  for (const href of await lesson.locator("a").evaluateAll((links) => links.map((link) => link.href))) {
    assert(/^https?:/.test(href), `a link leads to ${href}`);
  }
  assert((await hacked(page)) === undefined, `${await hacked(page)} ran`);
}

export default [
  {
    name: "the page's policy lets nothing inline in",
    allow: [/Content Security Policy/],
    async run({ page, url }) {
      await openLesson(page, url, "create-cluster");
      const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute("content");
      assert(!/unsafe-inline|'unsafe-eval'|https?:|\*/.test(policy), policy);
      assert(/default-src 'none'/.test(policy) && /script-src 'self' 'wasm-unsafe-eval'/.test(policy), policy);
      await page.evaluate(() => {
        const script = document.createElement("script");
        script.textContent = "globalThis.hacked = 'inline'";
        document.head.append(script);
        const image = document.createElement("div");
        image.setAttribute("onclick", "globalThis.hacked = 'attribute'");
        image.click();
        // Later: what runs at once is the test's, which may evaluate text.
        setTimeout("globalThis.hacked = 'timer'", 10);
        setTimeout(() => {
          try {
            globalThis.hacked = new Function("return 'eval'")();
          } catch {
            // As it should be.
          }
        }, 10);
      });
      await page.waitForTimeout(300);
      assert((await hacked(page)) === undefined, `${await hacked(page)} ran`);
    },
  },
  {
    name: "hostile text of a lesson is shown as text",
    options: { locale: "en-US" },
    async run({ page, shot }) {
      const markdown = `${HOSTILE.join("\n\n")}\n\n[a link](javascript:globalThis.hacked='markdown') and [another](data:text/html,x)\n`;
      const hostile = async (address, change) => {
        await change("lesson.en.md", (text) => {
          const end = text.indexOf("\n---", 4) + 5;
          return `${text.slice(0, end)}${markdown}${text.slice(end)}`;
        });
        await openLesson(page, address, "deploy-app");
        await shot("hostile lesson");
        await isHarmless(page);
        await page.goto("about:blank");
      };
      await withAuthor(0, hostile, "kubernetes-basics/deploy-app");
    },
  },
  {
    name: "a hostile page of a pod stays in its frame",
    options: { locale: "en-US" },
    allow: [/Content Security Policy|sandboxed|Blocked script execution|Refused/],
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await servePage(page, `<h1>hostile</h1>${HOSTILE.join("")}`);
      const stage = page.locator(".browser iframe");
      const frame = stage.contentFrame().locator("iframe");
      await frame.contentFrame().locator("h1").filter({ hasText: "hostile" }).waitFor();
      await frame.contentFrame().locator("#hostile-link").click();
      await page.waitForTimeout(1_000);
      await shot("hostile pod page");
      assert((await frame.getAttribute("sandbox")) === "", "the frame may do things");
      assert((await stage.getAttribute("sandbox")) === "allow-same-origin", "the stage may do things");
      assert((await stage.contentFrame().locator("script").count()) === 0, "there is a script on the stage");
      assert((await hacked(page)) === undefined, `${await hacked(page)} ran`);
      assert(page.url().startsWith(url), `the page went to ${page.url()}`);
      await screenShows(page, /\$$/);
    },
  },
  {
    name: "a page of a pod brings its styles and pictures along, and its links lead nowhere",
    options: { locale: "en-US" },
    // The last line clicks links that the frame's rules stop.
    allow: [/example\.com|Blocked opening|sandboxed/],
    async run({ page, url, shot }) {
      const pixel = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='30' height='20'/%3E";
      const problems = [];
      page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
      await openLesson(page, url, "deploy-app");
      await servePage(page, [
        "<style>h1 { color: rgb(1, 2, 3); } p { background: url(https://example.com/x.png); }</style>",
        `<h1>styled</h1><p style="font-size: 31px">large</p><img alt=pixel src="${pixel}">`,
        "<a id=self target=_self href=https://example.com/>a</a> <a id=blank href=https://example.com/>b</a>",
      ].join(""));
      const style = (selector, property) => podPage(page).locator(selector).evaluate((element, name) => getComputedStyle(element)[name], property);
      await podPage(page).locator("h1").waitFor();
      assert((await style("h1", "color")) === "rgb(1, 2, 3)", `the style sheet was not taken: ${await style("h1", "color")}`);
      assert((await style("p", "fontSize")) === "31px", "the style attribute was not taken");
      assert((await podPage(page).locator("img").evaluate((image) => image.naturalWidth)) === 30, "the picture is not shown");
      // The picture from elsewhere, and nothing of the page's own.
      assert(problems.every((problem) => problem.includes("https://example.com/x.png")), problems.join("\n"));
      await shot("styled pod page");
      await podPage(page).locator("#blank").click();
      await podPage(page).locator("#self").click();
      await page.waitForFunction(() => document.querySelector(".browser iframe") !== null);
      assert(page.url().startsWith(url) && page.context().pages().length === 1, "a link led away");
    },
  },
];
