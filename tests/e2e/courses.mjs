// The courses and lessons that there are, as their files say: a new lesson is tested without a line of code.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import path from "node:path";

const tutorials = path.join(path.dirname(fileURLToPath(import.meta.url)), "..", "..", "tutorials");

/** The items of the block list `key` in a YAML file of plain words. */
async function list(file, key) {
  const lines = (await readFile(path.join(tutorials, file), "utf8")).split("\n");
  const begin = lines.findIndex((line) => line.trimEnd() === `${key}:`) + 1;
  const items = [];
  for (const line of lines.slice(begin)) {
    const item = /^\s*- +([\w-]+)\s*$/.exec(line);
    if (!item) break;
    items.push(item[1]);
  }
  if (begin === 0 || items.length === 0) {
    throw new Error(`no list ${key} in tutorials/${file}`);
  }
  return items;
}

/** Every lesson in the order of the catalogue, as { course, lesson }. */
export async function allLessons() {
  const lessons = [];
  for (const course of await list("index.yaml", "courses")) {
    for (const lesson of await list(`${course}/course.yaml`, "lessons")) {
      lessons.push({ course, lesson });
    }
  }
  return lessons;
}
