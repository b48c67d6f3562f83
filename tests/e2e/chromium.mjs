// The browser, started the same way everywhere: quiet, without a network of its own.
export const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Options for playwright's launch functions. */
export function launchOptions() {
  const executablePath = process.env.KUBONSAI_CHROMIUM;
  if (!executablePath) {
    throw new Error("KUBONSAI_CHROMIUM is not set; cargo xtask sets it");
  }
  return { executablePath, args: ARGUMENTS };
}

/** A variable that `cargo xtask` sets. */
export function required(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set; cargo xtask sets it`);
  }
  return value;
}
