// The editor's glue: CodeMirror 6, for YAML and plain text. What is saved and when is the page's business; nothing
// about Kubernetes lives here.
//
// It lives in a shadow root: there CodeMirror adopts its style sheets, which a Content-Security-Policy without inline
// styles allows.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { linter, lintGutter } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const PROBLEMS_MAX = 20;

/** The page's colours, by the custom properties that it sets for each theme. */
const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--sky)" },
  { tag: [tags.string, tags.content], color: "var(--ink)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--plum)" },
  { tag: [tags.comment, tags.meta], color: "var(--muted)" },
  { tag: [tags.punctuation, tags.separator], color: "var(--muted)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--panel)", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": {
    fontFamily: "ui-monospace, 'Cascadia Mono', Menlo, Consolas, 'Noto Sans Mono', 'Noto Sans Mono CJK JP', monospace",
    lineHeight: "1.5",
  },
  ".cm-gutters": { color: "var(--muted)", backgroundColor: "var(--strip)", borderColor: "var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--moss-soft)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--sky) 28%, transparent)",
  },
  ".cm-panels, .cm-tooltip": { color: "var(--ink)", backgroundColor: "var(--strip)", borderColor: "var(--line)" },
});

/** Where the text is no YAML, as the grammar sees it. Whether it is a good object is for the API server to say. */
function problems(words) {
  return linter((view) => {
    const found = [];
    syntaxTree(view.state).iterate({
      enter({ type, from, to }) {
        if (type.isError && found.length < PROBLEMS_MAX) {
          const line = view.state.doc.lineAt(from);
          found.push({ from: to > from ? from : line.from, to: to > from ? to : line.to, severity: "error", message: words });
        }
      },
    });
    return found;
  });
}

/**
 * Opens an editor in `element`.
 * @param {HTMLElement} element
 * @param {{text: string, label: string, yaml?: boolean, notYaml?: string, readOnly?: boolean}} options
 * @param {() => void} onChange the text changed
 * @param {() => void} onSave Ctrl-S (Cmd-S) was pressed
 */
export function openEditor(element, options, onChange, onSave) {
  const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
  const save = () => {
    onSave();
    return true;
  };
  const extensions = [
    lineNumbers(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    syntaxHighlighting(colours),
    look,
    EditorView.contentAttributes.of({ "aria-label": options.label }),
    keymap.of([{ key: "Mod-s", run: save }, ...defaultKeymap, ...searchKeymap, ...historyKeymap, indentWithTab]),
    EditorState.readOnly.of(options.readOnly ?? false),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) onChange();
    }),
  ];
  if (options.yaml) {
    extensions.push(yaml(), lintGutter(), problems(options.notYaml ?? ""));
  }
  const view = new EditorView({ state: EditorState.create({ doc: options.text, extensions }), parent: root, root });
  return {
    text: () => view.state.doc.toString(),
    focus: () => view.focus(),
    close: () => view.destroy(),
  };
}
