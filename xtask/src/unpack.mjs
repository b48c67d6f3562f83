// Takes files out of a zip archive, checks their digests and makes them programs.
// usage: node unpack.mjs ARCHIVE ENTRY SHA256 PROGRAM [ENTRY SHA256 PROGRAM]...
import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";

const STORED = 0;
const DIRECTORY_END = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_END_BYTES = 22;

/** The bytes of an entry, found through the directory at the end of the archive (APPNOTE.TXT, sections 4.3.7 to 4.3.16). */
function entry(archive, name) {
  let end = archive.length - DIRECTORY_END_BYTES;
  while (end >= 0 && archive.readUInt32LE(end) !== DIRECTORY_END) end -= 1;
  if (end < 0) throw new Error("this is no zip archive");
  let at = archive.readUInt32LE(end + 16);
  while (archive.readUInt32LE(at) === DIRECTORY_ENTRY) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => archive.readUInt16LE(at + field));
    if (archive.toString("utf8", at + 46, at + 46 + nameBytes) === name) {
      const method = archive.readUInt16LE(at + 10);
      const header = archive.readUInt32LE(at + 42);
      const start = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
      const bytes = archive.subarray(start, start + archive.readUInt32LE(at + 20));
      return method === STORED ? bytes : inflateRawSync(bytes);
    }
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  throw new Error(`the archive has no ${name}`);
}

const [path, ...wanted] = process.argv.slice(2);
const archive = readFileSync(path);
while (wanted.length > 0) {
  const [name, digest, program] = wanted.splice(0, 3);
  const bytes = entry(archive, name);
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== digest) throw new Error(`${name} has the digest ${found}, ${digest} was expected`);
  // Written whole under another name first: an interrupted set-up leaves no half program.
  writeFileSync(`${program}.part`, bytes, { mode: 0o755 });
  renameSync(`${program}.part`, program);
}
