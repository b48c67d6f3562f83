// Both lessons, clicked through in both languages.
import { chooseLanguage, openLesson, playLesson, screenShows } from "./learner.mjs";

const LANGUAGES = [
  { code: "ja", name: "日本語", locale: "ja-JP", done: "達成 4 / 4" },
  { code: "en", name: "English", locale: "en-US", done: "4 of 4 done" },
];

const lesson1 = ({ code, name, locale }) => ({
  name: `the lesson "Create a cluster" in ${code}`,
  options: { locale },
  seconds: 240,
  async run({ page, url, shot }) {
    await page.goto(url);
    await page.waitForSelector("[data-lesson=create-cluster]");
    await shot(`${code} catalogue`);
    await page.click("[data-lesson=create-cluster]");
    await page.waitForSelector(".screen .xterm-rows");
    await chooseLanguage(page, name);
    await shot(`${code} lesson 1 begins`);
    await playLesson(page, (step) => shot(`${code} lesson 1 step ${step}`));
    await page.locator("a.next").click();
    await page.waitForFunction(() => location.hash.endsWith("deploy-app"));
  },
});

const lesson2 = ({ code, locale }) => ({
  name: `the lesson "Deploy an app" in ${code}`,
  options: { locale, colorScheme: code === "ja" ? "dark" : "light" },
  seconds: 240,
  async run({ page, url, shot }) {
    await openLesson(page, url, "deploy-app");
    await playLesson(page, (step) => shot(`${code} lesson 2 step ${step}`));
    await screenShows(page, /Hello Kubernetes bootcamp! \| Running on: kubernetes-bootcamp-\S+ \| v=1/);
    await page.click(".logo");
    await page.waitForSelector("[data-lesson=deploy-app] .mark.reached");
  },
});

export default LANGUAGES.flatMap((language) => [lesson1(language), lesson2(language)]);
