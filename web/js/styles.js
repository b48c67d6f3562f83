// Stands in for a <style> element: its text becomes a sheet that the document adopts, which a Content-Security-Policy
// without inline styles allows. The build (build.mjs) puts it in where xterm.js makes its own.

/** An element that is put into the document, given text and removed, as a <style> is. */
export function adoptedStyle() {
  const sheet = new CSSStyleSheet();
  const element = document.createElement("span");
  element.hidden = true;
  Object.defineProperty(element, "textContent", { get: () => "", set: (text) => sheet.replaceSync(text) });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((adopted) => adopted !== sheet);
    HTMLElement.prototype.remove.call(element);
  };
  document.adoptedStyleSheets.push(sheet);
  return element;
}
