// Images for the registry of the built page, made by a test and put in front of the site's own.
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

const TAR_BLOCK = 512;
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const json = (value) => Buffer.from(JSON.stringify(value));

/** A tar archive of one file. */
function tar(name, bytes) {
  const header = Buffer.alloc(TAR_BLOCK);
  const octal = (value, at, length) => header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at);
  header.write(name, 0);
  octal(0o755, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes.length, 124, 12);
  octal(0, 136, 12);
  header.write("        0", 148);
  header.write("ustar\x0000", 257);
  octal(header.reduce((sum, byte) => sum + byte, 0), 148, 7);
  const padding = Buffer.alloc((TAR_BLOCK - (bytes.length % TAR_BLOCK)) % TAR_BLOCK);
  return Buffer.concat([header, bytes, padding, Buffer.alloc(2 * TAR_BLOCK)]);
}

/** The blobs of an image whose only file is its program; the last one is its manifest. */
function image(program) {
  const archive = tar("program", program);
  const layer = gzipSync(archive);
  const config = json({
    architecture: "wasm",
    os: "wasip1",
    config: { Entrypoint: ["/program"] },
    rootfs: { type: "layers", diff_ids: [`sha256:${sha256(archive)}`] },
  });
  const part = (bytes, kind) => ({ digest: `sha256:${sha256(bytes)}`, mediaType: `application/vnd.oci.image.${kind}`, size: bytes.length });
  const manifest = json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: part(config, "config.v1+json"),
    layers: [part(layer, "layer.v1.tar+gzip")],
  });
  return [layer, config, manifest];
}

/**
 * Offers images: `{ "example.com/name:tag": program }`. A name in `damaged` has a layer that is not what its digest says.
 */
export async function offerImages(context, programs, damaged = []) {
  const blobs = new Map();
  const manifests = [];
  for (const [name, program] of Object.entries(programs)) {
    const parts = image(program);
    for (const bytes of parts) {
      blobs.set(sha256(bytes), bytes);
    }
    if (damaged.includes(name)) {
      blobs.set(sha256(parts[0]), Buffer.concat([parts[0], Buffer.from("!")]));
    }
    const manifest = parts.at(-1);
    manifests.push({
      annotations: { "org.opencontainers.image.ref.name": name },
      digest: `sha256:${sha256(manifest)}`,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      size: manifest.length,
    });
  }
  await context.route("**/images/index.json", async (route) => {
    const index = await (await route.fetch()).json();
    index.manifests.push(...manifests);
    for (const { annotations, digest } of manifests) {
      index.references[annotations["org.opencontainers.image.ref.name"]] = digest;
    }
    await route.fulfill({ json: index });
  });
  await context.route("**/images/blobs/sha256/*", async (route) => {
    const bytes = blobs.get(route.request().url().split("/").at(-1));
    await (bytes ? route.fulfill({ body: bytes }) : route.continue());
  });
}
