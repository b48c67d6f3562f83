// In the place of the page's service worker while lessons are being written: what it kept is let go, and so is itself. A
// page that came out of it is loaded again, from `kubonsai dev`.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => {
  const clear = async () => {
    const names = await caches.keys();
    for (const name of names) await caches.delete(name);
    const pages = names.length > 0 ? await self.clients.matchAll({ includeUncontrolled: true, type: "window" }) : [];
    await self.registration.unregister();
    for (const page of pages) page.navigate(page.url).catch(() => {});
  };
  event.waitUntil(clear());
});
