// The page starts, wherever it is hosted.

async function starts(page, url) {
  await page.goto(url);
  await page.waitForSelector("[data-worker=ready]");
}

export default [
  {
    name: "the page and its worker start",
    run: ({ page, url }) => starts(page, url),
  },
  {
    name: "they start under a sub-path",
    run: ({ page, subPathUrl }) => starts(page, subPathUrl),
  },
];
