// A browser that can be left alone: what drives a page keeps copies of every response in the page's process, which no
// learner's tab has. Here it lets go, the page lives on, and then its memory is measured.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { launchOptions } from "./chromium.mjs";

const START_SECONDS_MAX = 20;
/** The browser writes here at which port it listens, and the rest of the address. */
const PORT_FILE = "DevToolsActivePort";

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Starts a browser with one empty page: its process id, `connect`, which gives the page and how to let go, and `close`. */
export async function startAlone() {
  const { executablePath, args } = launchOptions();
  const folder = mkdtempSync(join(tmpdir(), "kubonsai-alone-"));
  const own = ["--headless", "--remote-debugging-port=0", `--user-data-dir=${folder}`, "--window-size=1280,720"];
  const child = spawn(executablePath, [...args, ...own, "about:blank"], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const close = async () => {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const port = await listening(join(folder, PORT_FILE));
  if (port === null) {
    await close();
    throw new Error(`${executablePath} does not say its port within ${START_SECONDS_MAX} s`);
  }
  const connect = async () => {
    const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
    return { page: browser.contexts()[0].pages()[0], letGo: () => browser.close() };
  };
  return { pid: child.pid, connect, close };
}

async function listening(file) {
  const end = performance.now() + START_SECONDS_MAX * 1000;
  while (performance.now() < end) {
    try {
      const [port] = readFileSync(file, "utf8").split("\n");
      if (port) return port;
    } catch {
      // Not written yet.
    }
    await sleep(50);
  }
  return null;
}
