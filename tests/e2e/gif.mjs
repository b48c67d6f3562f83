// Animated GIFs of a page: one palette for all frames, and of each frame only what has changed.
import { writeFile } from "node:fs/promises";

/** A GIF has 256 colours; one of them says "as before". */
const COLOURS_MAX = 255;
const CLEAR_CODES_AT = 4096;

/** The pixels of a PNG, as the browser sees them: one number 0xRRGGBB each. */
export async function pixels(page, png) {
  const { width, height, bytes } = await page.evaluate(async (base64) => {
    const data = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([data], { type: "image/png" }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const { data: rgba } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    let text = "";
    for (let at = 0; at < rgba.length; at += 4) text += String.fromCharCode(rgba[at], rgba[at + 1], rgba[at + 2]);
    return { width: bitmap.width, height: bitmap.height, bytes: btoa(text) };
  }, png.toString("base64"));
  const rgb = Buffer.from(bytes, "base64");
  const found = new Uint32Array(width * height);
  for (let at = 0; at < found.length; at += 1) {
    found[at] = (rgb[at * 3] << 16) | (rgb[at * 3 + 1] << 8) | rgb[at * 3 + 2];
  }
  return { width, height, pixels: found };
}

/** The most frequent colours; all others become the nearest of them. */
function palette(frames) {
  const counts = new Map();
  for (const { pixels: seen } of frames) {
    for (const colour of seen) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const parts = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];
  const distance = (a, b) => (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
  const chosen = [];
  // Near neighbours of a chosen colour (letters have many) do not use up the palette: the less often, the further off.
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  for (const apart of [64, 27, 12, 3]) {
    for (const [colour] of sorted) {
      if (chosen.length === COLOURS_MAX) break;
      const own = parts(colour);
      if (!chosen.some((other) => distance(parts(other), own) < apart)) chosen.push(colour);
    }
  }
  const table = chosen.map(parts);
  const known = new Map(chosen.map((colour, index) => [colour, index]));
  const index = (colour) => {
    if (!known.has(colour)) {
      const own = parts(colour);
      let best = 0;
      for (let at = 1; at < table.length; at += 1) if (distance(table[at], own) < distance(table[best], own)) best = at;
      known.set(colour, best);
    }
    return known.get(colour);
  };
  return { table, index };
}

/** LZW as GIF has it, in blocks. */
function compress(indexes) {
  const bytes = [];
  let [bits, held] = [0, 0];
  const put = (code, size) => {
    held |= code << bits;
    bits += size;
    for (; bits >= 8; bits -= 8) {
      bytes.push(held & 255);
      held >>>= 8;
    }
  };
  const [clear, end] = [256, 257];
  let [table, next, size] = [new Map(), 258, 9];
  put(clear, size);
  let before = indexes[0];
  for (let at = 1; at < indexes.length; at += 1) {
    const key = before * 256 + indexes[at];
    if (table.has(key)) {
      before = table.get(key);
      continue;
    }
    put(before, size);
    if (next === CLEAR_CODES_AT) {
      put(clear, size);
      [table, next, size] = [new Map(), 258, 9];
    } else {
      if (next === 1 << size) size += 1;
      table.set(key, next);
      next += 1;
    }
    before = indexes[at];
  }
  put(before, size);
  put(end, size);
  if (bits > 0) bytes.push(held & 255);
  const blocks = [Buffer.from([8])];
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.slice(at, at + 255);
    blocks.push(Buffer.from([block.length, ...block]));
  }
  return Buffer.concat([...blocks, Buffer.from([0])]);
}

/** The smallest part of a frame that holds all that has changed; null if nothing has. */
function changedPart({ width, height }, now, before) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (!before || now[y * width + x] !== before[y * width + x]) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = y;
      }
    }
  }
  return right < 0 ? null : { left, top, wide: right - left + 1, high: bottom - top + 1 };
}

const word = (value) => [value & 255, value >> 8];

/** Writes frames, each { width, height, pixels, ms }: how long it is seen. */
export async function writeGif(file, frames) {
  const { table, index } = palette(frames);
  const [{ width, height }] = frames;
  const same = table.length;
  const colours = Buffer.alloc(256 * 3);
  table.forEach((colour, at) => colours.set(colour, at * 3));
  const out = [Buffer.from("GIF89a"), Buffer.from([...word(width), ...word(height), 0xf7, 0, 0]), colours];
  // Again and again.
  out.push(Buffer.from([0x21, 0xff, 11, ...Buffer.from("NETSCAPE2.0"), 3, 1, 0, 0, 0]));
  let before = null;
  let late = 0;
  const drawn = frames.map((frame) => ({ ...frame, indexes: Uint8Array.from(frame.pixels, index) }));
  drawn.forEach((frame, number) => {
    // What shows nothing new only makes the frame before it last longer: it was written with that time.
    if (number > 0 && !changedPart(frame, frame.indexes, before)) return;
    let ms = frame.ms + late;
    for (let after = number + 1; after < drawn.length && !changedPart(frame, drawn[after].indexes, frame.indexes); after += 1) {
      ms += drawn[after].ms;
    }
    const part = changedPart(frame, frame.indexes, before) ?? { left: 0, top: 0, wide: 1, high: 1 };
    const hundredths = Math.max(2, Math.round(ms / 10));
    late = ms - hundredths * 10;
    const cut = new Uint8Array(part.wide * part.high);
    for (let y = 0; y < part.high; y += 1) {
      for (let x = 0; x < part.wide; x += 1) {
        const at = (part.top + y) * width + part.left + x;
        cut[y * part.wide + x] = before && before[at] === frame.indexes[at] ? same : frame.indexes[at];
      }
    }
    out.push(Buffer.from([0x21, 0xf9, 4, 0x05, ...word(hundredths), same, 0]));
    out.push(Buffer.from([0x2c, ...word(part.left), ...word(part.top), ...word(part.wide), ...word(part.high), 0]));
    out.push(compress(cut));
    before = frame.indexes;
  });
  out.push(Buffer.from([0x3b]));
  const bytes = Buffer.concat(out);
  await writeFile(file, bytes);
  return bytes.length;
}
