// The editor's glue: CodeMirror 6 for YAML. What is wrong and what could come next is asked of the page, which asks
// the schemas; nothing about Kubernetes lives here.
import { autocompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, defaultHighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { linter, lintGutter } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";

/**
 * Opens an editor in `element`.
 * @param {HTMLElement} element
 * @param {{text: string, dark?: boolean, readOnly?: boolean}} options
 * @param {{
 *   change?: (text: string) => void,
 *   lint?: (text: string) => Promise<{from: number, to: number, severity: string, message: string}[]>,
 *   complete?: (text: string, at: number) => Promise<{from: number, options: object[]} | null>,
 * }} hooks
 */
export function openEditor(element, options, hooks) {
  const theme = new Compartment();
  const extensions = [
    lineNumbers(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    yaml(),
    syntaxHighlighting(defaultHighlightStyle, { fallback: true }),
    keymap.of([...defaultKeymap, ...searchKeymap, ...historyKeymap, indentWithTab]),
    theme.of(EditorView.darkTheme.of(options.dark ?? false)),
    EditorState.readOnly.of(options.readOnly ?? false),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) hooks.change?.(update.state.doc.toString());
    }),
  ];
  if (hooks.lint) {
    extensions.push(lintGutter(), linter((view) => hooks.lint(view.state.doc.toString())));
  }
  if (hooks.complete) {
    extensions.push(autocompletion({ override: [(context) => hooks.complete(context.state.doc.toString(), context.pos)] }));
  }
  const view = new EditorView({ state: EditorState.create({ doc: options.text, extensions }), parent: element });
  return {
    text: () => view.state.doc.toString(),
    setText: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    setDark: (dark) => view.dispatch({ effects: theme.reconfigure(EditorView.darkTheme.of(dark)) }),
    focus: () => view.focus(),
    close: () => view.destroy(),
  };
}
