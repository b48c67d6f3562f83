// What a learner does on the page, for the specs.

export const COURSE = "kubernetes-basics";
const PROMPT = /\$$/;
const LESSON_SECONDS_MAX = 90;

/** The visible text of a terminal. */
export async function screen(page, terminal = 1) {
  const rows = await page.locator(`[data-terminal="${terminal}"] .xterm-rows > div`).allTextContents();
  return rows.map((row) => row.replaceAll("\u00a0", " ").trimEnd()).join("\n").trimEnd();
}

/** Waits until a terminal's text satisfies a function or a pattern. */
export async function screenShows(page, expected, { terminal = 1, seconds = 30 } = {}) {
  const holds = typeof expected === "function" ? expected : (text) => expected.test(text);
  const end = performance.now() + seconds * 1000;
  let text = "";
  while (performance.now() < end) {
    text = await screen(page, terminal);
    if (holds(text)) {
      return text;
    }
    await page.waitForTimeout(50);
  }
  throw new Error(`terminal ${terminal} does not show ${expected}; it shows:\n${text}`);
}

/** Waits for the prompt: what ran has ended. */
export const prompt = (page, options) => screenShows(page, PROMPT, options);

/** Opens a lesson by its address and waits until it can be worked in. */
export async function openLesson(page, url, lesson) {
  await page.goto(`${url}#/${COURSE}/${lesson}`);
  await page.waitForSelector(".screen .xterm-rows");
  await prompt(page, { seconds: 60 });
}

/** Types a line and waits for the prompt after it. */
export async function type(page, line, options) {
  await page.locator(".screen:not(.hidden) .xterm-helper-textarea").focus();
  await page.keyboard.type(line);
  await page.keyboard.press("Enter");
  await page.waitForTimeout(100);
  return prompt(page, options);
}

/** Presses every Run button of the step that is shown, and waits for its checks. */
export async function doStep(page) {
  const buttons = page.locator(".command .run");
  for (let index = 0; index < (await buttons.count()); index += 1) {
    const terminal = Number(await buttons.nth(index).getAttribute("data-terminal"));
    await buttons.nth(index).click();
    if (terminal === 1) {
      await page.waitForTimeout(150);
      await prompt(page, { seconds: LESSON_SECONDS_MAX });
    } else {
      await screenShows(page, /Starting to serve/, { terminal });
    }
  }
  await page.waitForFunction(() => document.querySelectorAll('.check[data-reached="false"]').length === 0, undefined, {
    timeout: LESSON_SECONDS_MAX * 1000,
  });
}

/** Plays a lesson from its introduction to its last step; `seen` is called after each step. */
export async function playLesson(page, seen = async () => {}) {
  for (let step = 0; ; step += 1) {
    await doStep(page);
    await seen(step);
    const next = page.locator("button.next");
    if ((await next.count()) === 0) {
      return;
    }
    await next.click();
  }
}

/** Chooses a language by its name on the page. */
export const chooseLanguage = (page, name) => page.getByRole("button", { name, exact: true }).click();
