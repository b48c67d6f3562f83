// Put into the page by `kubonsai dev`: reloads it when a lesson has changed, and says what is wrong in one.
const EVERY_MS = 500;
let seen = null;
let box = null;

function show(problems) {
  box?.remove();
  box = null;
  if (problems.length === 0) return;
  box = document.createElement("pre");
  box.setAttribute("role", "alert");
  box.id = "kubonsai-dev";
  // Styles are set one by one: a style attribute in HTML would be refused by the page's policy.
  const style = {
    position: "fixed", left: "0", right: "0", bottom: "0", margin: "0", padding: "12px 16px", zIndex: "9999",
    maxHeight: "45vh", overflow: "auto", whiteSpace: "pre-wrap", background: "#5c1a1a", color: "#fff",
    font: "14px/1.5 monospace",
  };
  Object.assign(box.style, style);
  box.textContent = problems.join("\n");
  document.body.append(box);
}

async function look() {
  try {
    const state = await (await fetch("/__dev/state", { cache: "no-store" })).json();
    if (seen !== null && state.version !== seen && state.problems.length === 0) {
      location.reload();
      return;
    }
    if (state.version !== seen) show(state.problems);
    seen = state.version;
  } catch {
    show(["kubonsai dev does not answer. Is it still running?"]);
    seen = -1;
  }
  setTimeout(look, EVERY_MS);
}
look();
