// What a learner does on the page, for the specs.

export const COURSE = "kubernetes-basics";
/** The end of a screen whose program waits for a command: our shell's prompt or that of a shell in a container. */
const PROMPT = /[$#] ?$/;
const LESSON_SECONDS_MAX = 90;
/** A program that has said nothing for so long goes on by itself; longer than a Pod takes to leave (30 s). */
const QUIET_SECONDS = 40;
/** What runs in a second terminal goes on beside the lesson if it has not ended by then. */
const BESIDE_SECONDS = 3;

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

/** Waits until a terminal rests: at a prompt (true), or with a program that goes on by itself (false). */
export async function rest(page, terminal) {
  let text = "";
  let since = performance.now();
  const end = since + (terminal === 1 ? LESSON_SECONDS_MAX : BESIDE_SECONDS) * 1000;
  while (performance.now() < end) {
    const now = await screen(page, terminal);
    if (PROMPT.test(now)) {
      return true;
    }
    if (now !== text) {
      text = now;
      since = performance.now();
    } else if (now !== "" && performance.now() - since > QUIET_SECONDS * 1000) {
      return false;
    }
    // Says so itself; no need to wait until it has been quiet.
    if (/Starting to serve on \S+$/.test(now)) {
      return false;
    }
    await page.waitForTimeout(50);
  }
  return false;
}

/** Opens a lesson by its address and waits until it can be worked in. */
export async function openLesson(page, url, lesson, course = COURSE) {
  await page.goto(`${url}#/${course}/${lesson}`);
  await page.waitForSelector(".screen .xterm-rows");
  await prompt(page, { seconds: 60 });
}

/** Gives the terminal that is seen the keyboard. */
export const focusTerminal = (page) => page.locator(".screen:not(.hidden) .xterm-helper-textarea").focus();

/** Types a line and waits for the prompt after it. */
export async function type(page, line, options) {
  await focusTerminal(page);
  await page.keyboard.type(line);
  await page.keyboard.press("Enter");
  await page.waitForTimeout(100);
  return prompt(page, options);
}

/** Whether the browser keeps a session in which a text was typed. */
function keeps(page, text) {
  return page.evaluate(async (wanted) => {
    const request = (asked) => new Promise((done, failed) => {
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    });
    const database = await request(indexedDB.open("kubonsai"));
    const sessions = await request(database.transaction("sessions").objectStore("sessions").getAll());
    database.close();
    // The full pieces of a session's log are records of their own, which follow its own.
    const logs = [];
    for (const record of sessions.map((record) => JSON.parse(record))) {
      if (record.log) logs.push({ pieces: [], last: record.log });
      else logs.at(-1).pieces.push(record);
    }
    const typed = (log) => log.map(({ input }) => JSON.stringify(input).match(/"text":"((?:[^"\\]|\\.)*)"/)?.[1] ?? "").join("");
    return logs.some(({ pieces, last }) => typed([...pieces.flat(), ...last]).includes(wanted));
  }, text);
}

/** Waits until it does. Not by waitForFunction: that takes a promise for an answer. */
export async function saved(page, text, { seconds = 30 } = {}) {
  const deadline = performance.now() + seconds * 1000;
  while (!(await keeps(page, text))) {
    if (performance.now() > deadline) {
      throw new Error(`not saved within ${seconds} s: ${text}`);
    }
    await page.waitForTimeout(100);
  }
}

/** Stops the program of a terminal, as lessons say: with Ctrl-C. */
async function interrupt(page, terminal) {
  const tab = page.locator(".terminals [role=tab]").filter({ hasText: String(terminal) });
  await tab.click();
  await focusTerminal(page);
  await page.keyboard.press("Control+c");
  await prompt(page, { terminal });
}

/** On a narrow screen only one part is seen; this goes (back) to the lesson's text. */
async function showText(page) {
  const tab = page.locator(".pane-tabs [role=tab]").first();
  if (await tab.isVisible()) {
    await tab.click();
  }
}

/** How a learner gives a command: by its Run button. */
export async function byClicking(page, command) {
  await showText(page);
  await command.locator(".run").click();
}

/** Gives every command of the step that is shown, and waits for its checks. `give` says how. */
export async function doStep(page, give = byClicking) {
  await page.waitForSelector(".command .run:not([disabled]), .lesson:not(:has(.run))", { timeout: 60_000 });
  const commands = page.locator(".lesson .command:has(.run)");
  const resting = new Map();
  for (let index = 0; index < (await commands.count()); index += 1) {
    const command = commands.nth(index);
    const terminal = Number(await command.locator(".run").getAttribute("data-terminal"));
    if (resting.get(terminal) === false) {
      await interrupt(page, terminal);
    }
    await give(page, command, terminal);
    await page.waitForTimeout(150);
    resting.set(terminal, await rest(page, terminal));
  }
  await page
    .waitForFunction(() => document.querySelectorAll('.check[data-reached="false"]').length === 0, undefined, {
      timeout: LESSON_SECONDS_MAX * 1000,
    })
    .catch(async () => {
      const missing = await page.locator('.check[data-reached="false"]').allInnerTexts();
      throw new Error(`not reached:\n${missing.join("\n")}\nterminal 1:\n${await screen(page, 1)}`);
    });
}

/** Plays a lesson from the step that is shown to its last; `seen` is called after each step. */
export async function playLesson(page, { seen = async () => {}, give = byClicking } = {}) {
  for (let step = 0; ; step += 1) {
    await doStep(page, give);
    await seen(step);
    await showText(page);
    const next = page.locator("button.next");
    if ((await next.count()) === 0) {
      return;
    }
    await next.click();
  }
}

/**
 * Every check of the lesson is reached: the dots of the bar say so. After a reload the terminal's text can be there
 * before the dots: both come from the worker, in messages of their own.
 */
export async function allReached(page, { seconds = 10 } = {}) {
  const dots = page.locator("header .dots i");
  const reached = page.locator("header .dots i.done");
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const [total, done] = [await dots.count(), await reached.count()];
    if (total > 0 && done === total) {
      return;
    }
    if (performance.now() > deadline) {
      throw new Error(`${done} of ${total} checks are reached`);
    }
    await page.waitForTimeout(50);
  }
}

/** Chooses a language by its name on the page. */
export const chooseLanguage = (page, name) => page.getByRole("button", { name, exact: true }).click();
