// The terminal's glue: xterm.js with its addons. No shell lives here: bytes go out, bytes come in.
import { Terminal } from "@xterm/xterm";
import { FitAddon } from "@xterm/addon-fit";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { WebLinksAddon } from "@xterm/addon-web-links";
import "@xterm/xterm/css/xterm.css";

const SCROLLBACK_LINES_MAX = 5000;

/**
 * Opens a terminal in `element`.
 * @param {HTMLElement} element
 * @param {{theme?: object, fontFamily?: string, fontSize?: number, screenReader?: boolean}} options
 * @param {(text: string) => void} onData what was typed or pasted
 * @param {(columns: number, rows: number) => void} onResize
 */
export function openTerminal(element, options, onData, onResize) {
  const terminal = new Terminal({
    allowProposedApi: true, // the grapheme addon asks for it
    scrollback: SCROLLBACK_LINES_MAX,
    theme: options.theme,
    fontFamily: options.fontFamily,
    fontSize: options.fontSize ?? 13,
    lineHeight: 1.1,
    screenReaderMode: options.screenReader ?? false,
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(new UnicodeGraphemesAddon());
  terminal.loadAddon(new WebLinksAddon());
  terminal.open(element);
  terminal.onData(onData);
  terminal.onResize(({ cols, rows }) => onResize(cols, rows));
  const observer = new ResizeObserver(() => fit.fit());
  observer.observe(element);
  fit.fit();
  return {
    columns: () => terminal.cols,
    rows: () => terminal.rows,
    write: (data) => terminal.write(data),
    focus: () => terminal.focus(),
    clear: () => terminal.clear(),
    setTheme: (theme) => {
      terminal.options.theme = theme;
    },
    setScreenReader: (on) => {
      terminal.options.screenReaderMode = on;
    },
    /** The visible text and the scrollback, for tests and for copying. */
    text: () => {
      const buffer = terminal.buffer.active;
      const lines = [];
      for (let row = 0; row < buffer.length; row += 1) {
        const line = buffer.getLine(row);
        if (line.isWrapped && lines.length > 0) {
          lines[lines.length - 1] += line.translateToString(true);
        } else {
          lines.push(line.translateToString(true));
        }
      }
      return lines.join("\n").trimEnd();
    },
    close: () => {
      observer.disconnect();
      terminal.dispose();
    },
  };
}
