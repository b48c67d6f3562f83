// Every lesson of every course, clicked through in both languages; and some of them in the ways that learners have.
import { allLessons } from "./courses.mjs";
import { allReached, byClicking, focusTerminal, openLesson, playLesson, prompt, rest, screen, screenShows } from "./learner.mjs";

const LANGUAGES = [
  { code: "ja", locale: "ja-JP" },
  { code: "en", locale: "en-US" },
];
const LESSON_SECONDS = 300;

const lessons = await allLessons();
const last = lessons.at(-1);

const clicked = ({ course, lesson }, { code, locale }) => ({
  name: `the lesson ${lesson} in ${code}`,
  options: { locale, colorScheme: code === "ja" ? "dark" : "light" },
  seconds: LESSON_SECONDS,
  async run({ page, url, shot }) {
    await page.goto(url);
    await page.waitForSelector(`[data-lesson=${lesson}]`);
    await shot(`${code} catalogue`);
    await page.click(`[data-lesson=${lesson}]`);
    await page.waitForFunction(([hash]) => location.hash === hash, [`#/${course}/${lesson}`]);
    await page.waitForSelector(`.lesson:lang(${code})`);
    await page.waitForSelector(".screen .xterm-rows");
    await prompt(page, { seconds: 60 });
    await playLesson(page, { seen: (step) => shot(`${code} ${lesson} ${step}`) });
    await allReached(page);
    await page.click(".logo");
    await page.waitForSelector(`[data-lesson=${lesson}] .mark.reached`);
  },
});

/** Types a command as people do: one letter wrong and taken back, and once quite wrong and answered. */
async function byTyping(page, command, terminal) {
  const text = (await command.locator("code").first().innerText()).trimEnd();
  if (terminal > 1 && (await page.locator(`.screen[data-terminal="${terminal}"]`).count()) === 0) {
    await page.locator(".terminals .tabs .add").click();
    await prompt(page, { terminal });
  }
  await page.locator(".terminals [role=tab]").filter({ hasText: String(terminal) }).click();
  await focusTerminal(page);
  if (terminal === 1 && !text.includes("\n") && (await rest(page, terminal))) {
    const [word, ...others] = text.split(" ");
    await page.keyboard.type([`${word}x`, ...others].join(" "));
    await page.keyboard.press("Enter");
    await page.waitForTimeout(150);
    await rest(page, terminal);
  }
  await page.keyboard.type(`${text.slice(0, 3)}q`);
  await page.keyboard.press("Backspace");
  await page.keyboard.type(text.slice(3));
  await page.keyboard.press("Enter");
}

const typed = {
  name: `the lesson ${last.lesson} typed with mistakes`,
  seconds: LESSON_SECONDS,
  async run({ page, url }) {
    await openLesson(page, url, last.lesson, last.course);
    await playLesson(page, { give: byTyping });
    await allReached(page);
  },
};

const interrupted = {
  name: `the lesson ${last.lesson} with a reload after every step`,
  seconds: LESSON_SECONDS,
  async run({ page, url }) {
    await openLesson(page, url, last.lesson, last.course);
    let reloads = 0;
    await playLesson(page, {
      give: byClicking,
      async seen() {
        await page.waitForTimeout(1_200); // sessions are saved a moment after the last change
        const [heading, before] = [await page.locator(".lesson h1").innerText(), await screen(page)];
        await page.reload();
        await page.waitForSelector(".screen .xterm-rows");
        await page.waitForFunction((text) => document.querySelector(".lesson h1")?.innerText === text, heading);
        // The heading is there before the session has been played again.
        await screenShows(page, (after) => after.startsWith(before.slice(0, 200)));
        reloads += 1;
      },
    });
    await allReached(page);
    if (reloads < 2) {
      throw new Error(`only ${reloads} reloads`);
    }
  },
};

const narrow = {
  name: `the lesson ${last.lesson} at 390 px`,
  options: { viewport: { width: 390, height: 844 }, locale: "ja-JP", hasTouch: true, isMobile: true },
  seconds: LESSON_SECONDS,
  async run({ page, url, shot }) {
    await page.goto(`${url}#/${last.course}/${last.lesson}`);
    await page.waitForSelector(".lesson h1");
    await playLesson(page, {
      async seen(step) {
        await shot(`narrow ${last.lesson} ${step}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        if (wide > 390) {
          throw new Error(`at step ${step} the page is ${wide} px wide`);
        }
      },
    });
    const progress = await page.locator(".pane-tabs .progress").innerText();
    const [done, total] = progress.match(/\d+/g).map(Number);
    if (total === 0 || done !== total) {
      throw new Error(`not all is reached: ${progress}`);
    }
  },
};

export default [
  ...lessons.flatMap((lesson) => LANGUAGES.map((language) => clicked(lesson, language))),
  typed,
  interrupted,
  narrow,
];
