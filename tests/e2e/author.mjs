// The page with an author's copy of the lessons, which a test may change: `kubonsai dev`.
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { required } from "./chromium.mjs";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
/** The lesson whose files are changed unless another is named. */
export const LESSON = "kubernetes-basics/create-cluster";

/** Runs `kubonsai dev` on a copy of the lessons while something is done with it. */
export async function withAuthor(port, work, lesson = LESSON) {
  const folder = await mkdtemp(path.join(tmpdir(), "kubonsai-e2e-"));
  const lessons = path.join(folder, "tutorials");
  await cp(path.join(root, "tutorials"), lessons, { recursive: true });
  const options = ["dev", lessons, "--page", path.join(root, "dist"), "--listen", `127.0.0.1:${port}`];
  const dev = spawn(required("KUBONSAI_NATIVE"), options, { stdio: ["ignore", "pipe", "pipe"] });
  try {
    const address = await new Promise((found, failed) => {
      let said = "";
      for (const stream of [dev.stdout, dev.stderr]) {
        stream.on("data", (bytes) => {
          said += bytes;
          const at = said.match(/http:\/\/[\d.:]+\//);
          if (at) found(at[0]);
        });
      }
      dev.on("error", failed);
      dev.on("exit", () => failed(new Error(`kubonsai dev ended:\n${said}`)));
    });
    const change = async (file, edit) => {
      const at = path.join(lessons, lesson, file);
      await writeFile(at, edit(await readFile(at, "utf8")));
    };
    await work(address, change);
  } finally {
    dev.kill();
    await rm(folder, { recursive: true });
  }
}
