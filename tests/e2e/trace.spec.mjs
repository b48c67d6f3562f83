// The packet trace: requests on the network, each with its way, told and drawn on the map.
import { COURSE, chooseLanguage, openLesson, prompt, type } from "./learner.mjs";

const IMAGE = "gcr.io/google-samples/kubernetes-bootcamp:v1";

function assert(condition, words) {
  if (!condition) {
    throw new Error(words);
  }
}

const view = (page, name) => page.locator(".view-tab").filter({ hasText: name }).click();

/** An app of two Pods with a Service that can be reached from the machine. */
async function deploy(page) {
  await type(page, `kubectl create deployment web --image=${IMAGE} --replicas=2`);
  await type(page, "kubectl expose deployment/web --type=NodePort --port 8080");
  await page.waitForFunction(() => document.querySelectorAll(".pod.ready").length === 2, null, { timeout: 60_000 });
}

const CURL = "curl -s http://$(minikube ip):$(kubectl get service web -o jsonpath='{.spec.ports[0].nodePort}')/";

export default [
  {
    name: "the way of a request is told and drawn on the map",
    options: { locale: "en-US" },
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await view(page, "Requests");
      await page.locator(".requests .lead").waitFor();
      await page.locator(".tab button[role=tab]").first().click();
      await deploy(page);
      await type(page, CURL);
      await type(page, "curl -s http://nowhere.example/");
      await view(page, "Requests");
      await page.locator(".made li").nth(1).waitFor();
      assert((await page.locator(".made .failed").count()) === 1, "the name that is none stands out");
      await page.locator(".made li").nth(1).locator("button").click();
      const way = await page.locator(".way").innerText();
      for (const words of ["NodePort 192.168.49.2:", "entrance of Service web", "among 2 endpoints", "Neither end is restricted", "Pod web-", "GET / is answered with 200"]) {
        assert(way.includes(words), `${words} is missing in:\n${way}`);
      }
      await page.locator(".request-way").waitFor({ state: "attached" });
      assert((await page.locator(".map .service .focused").count()) === 1, "the Service does not stand out on the map");
      assert((await page.locator(".map .pod .focused").count()) === 1, "one Pod stands out on the map");
      await shot("way of a request");
      await chooseLanguage(page, "日本語");
      assert((await page.locator(".way").innerText()).includes("個の行き先から"), "the way is told in Japanese");
      await shot("way of a request, in Japanese");
    },
  },
  {
    name: "what the browser asked leads to its way",
    options: { locale: "ja-JP" },
    async run({ page, url, shot }) {
      await openLesson(page, url, "deploy-app");
      await deploy(page);
      await view(page, "ブラウザ");
      await page.locator(".places button").filter({ hasText: "Service web" }).click();
      await page.locator(".show-way").click();
      await page.locator(".way li").filter({ hasText: "Service web" }).first().waitFor();
      assert((await page.locator(".made li").count()) === 1, "one visit is one request");
      await shot("way of a visit");
      await view(page, "ブラウザ");
      await page.click(".repeat");
      await page.waitForFunction(() => document.querySelectorAll(".who .strip-answers i").length >= 4);
      await page.locator(".who .strip-answers i").nth(1).click();
      await page.locator(".made .on").waitFor();
      assert((await page.locator(".made li").count()) >= 3, "each visit is a request");
      assert((await page.locator(".made li").first().getAttribute("class") ?? "").includes("on") === false, "the second visit is chosen, not the newest");
    },
  },
  {
    name: "on a narrow screen the way has its place too",
    options: { locale: "ja-JP", viewport: { width: 390, height: 844 } },
    async run({ page, url, shot }) {
      await page.goto(`${url}#/${COURSE}/deploy-app`);
      await page.waitForSelector(".cover", { state: "detached", timeout: 60_000 });
      await page.locator(".pane-tabs [role=tab]").last().click();
      await prompt(page, { seconds: 60 });
      await deploy(page);
      await type(page, CURL);
      await view(page, "通信");
      await page.locator(".way li").nth(4).waitFor();
      const widths = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert(widths[0] <= widths[1], `the page is wider than the screen: ${widths}`);
      await shot("way of a request, narrow");
    },
  },
];
