//! Editor windows: what `kubectl edit`, `vi` and `nano` open. The typing is the page's; what is saved goes to the session.

use std::cell::RefCell;
use std::rc::Rc;

use cluster::{EDIT_BYTES_MAX, Input};
use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{HtmlElement, window};
use yew::prelude::*;

use crate::editors::Editor;
use crate::protocol::ToWorker;
use crate::screens::{Screens, load};
use crate::site::error_words;
use crate::state::{Action, Notice, State};
use crate::text::{T, fill};

/// What the pane needs.
#[derive(Properties, PartialEq)]
pub struct EditorPaneProps {
    /// The page.
    pub state: UseReducerHandle<State>,
    /// The screens: the terminal gets the keyboard back.
    pub screens: Screens,
    /// Sends to the worker.
    pub send: Callback<ToWorker>,
}

/// All windows, as tabs; nothing when there is none.
#[component]
pub fn EditorPane(props: &EditorPaneProps) -> Html {
    let EditorPaneProps { state, screens, send } = props;
    let editors = &state.editors;
    if editors.open.is_empty() {
        return html! {};
    }
    let tabs = editors.open.iter().filter(|_| editors.open.len() > 1).map(|editor| {
        let (id, on, state) = (editor.id, editor.id == editors.shown, state.clone());
        let show = Callback::from(move |_: MouseEvent| state.dispatch(Action::ShowEditor(id)));
        html! {
            <button key={id.to_string()} type="button" aria-pressed={on.to_string()} class={classes!(on.then_some("on"))} onclick={show}>
                { editor.name().to_owned() }
            </button>
        }
    });
    html! {
        <section class="editors" aria-label={state.t(T::Editor)}>
            if editors.open.len() > 1 { <div class="files">{ for tabs }</div> }
            { for editors.open.iter().map(|editor| html! {
                <EditorWindow key={editor.id.to_string()} editor={editor.clone()} shown={editor.id == editors.shown}
                    state={state.clone()} screens={screens.clone()} send={send.clone()} />
            }) }
        </section>
    }
}

#[wasm_bindgen]
extern "C" {
    /// What `openEditor` of js/editor.js gives.
    type Glue;
    #[wasm_bindgen(method)]
    fn text(this: &Glue) -> String;
    #[wasm_bindgen(method)]
    fn focus(this: &Glue);
    #[wasm_bindgen(method)]
    fn close(this: &Glue);
}

/// CodeMirror with the closures that it calls. Dropped when the window closes.
struct Mounted {
    glue: Glue,
    _listeners: [Closure<dyn Fn()>; 2],
}

impl Drop for Mounted {
    fn drop(&mut self) {
        self.glue.close();
    }
}

type Slot = Rc<RefCell<Option<Mounted>>>;

#[derive(Properties, PartialEq)]
struct WindowProps {
    editor: Editor,
    shown: bool,
    state: UseReducerHandle<State>,
    screens: Screens,
    send: Callback<ToWorker>,
}

/// One window: CodeMirror, and what can be done with its text.
#[component]
fn EditorWindow(props: &WindowProps) -> Html {
    let WindowProps { editor, shown, state, send, .. } = props;
    let place = use_node_ref();
    let slot = use_memo((), |()| Slot::default());
    let changed = use_state(|| false);
    let save = use_save(props, &slot, &changed);
    use_mounted(props, &place, &slot, &changed, &save);
    let id = editor.id;
    let close = {
        let send = send.clone();
        move || send.emit(ToWorker::Input { input: Input::CloseEdit { id } })
    };
    let save_close = {
        let (save, close) = (save.clone(), close.clone());
        Callback::from(move |_: MouseEvent| {
            if save.emit(()) {
                close();
            }
        })
    };
    let cancel = {
        let (state, changed) = (state.clone(), changed.clone());
        Callback::from(move |_: MouseEvent| {
            let sure = !*changed
                || window().and_then(|w| w.confirm_with_message(state.t(T::DiscardConfirm)).ok()) == Some(true);
            if sure {
                close();
            }
        })
    };
    let save = Callback::from(move |_: MouseEvent| {
        save.emit(());
    });
    html! {
        <div class={classes!("editor", (!shown).then_some("hidden"))} data-editor={id.to_string()}>
            <div class="bar">
                <h2 title={editor.path.clone()}>
                    { editor.path.clone() }
                    if *changed { <span class="changed" title={state.t(T::Unsaved)} aria-label={state.t(T::Unsaved)} role="img">{ "●" }</span> }
                </h2>
                if editor.read_only {
                    <span class="muted">{ state.t(T::ReadOnly) }</span>
                    <button type="button" onclick={cancel}>{ state.t(T::Close) }</button>
                } else {
                    <button type="button" onclick={cancel}>{ state.t(T::Cancel) }</button>
                    <button type="button" onclick={save}>{ state.t(T::Save) }</button>
                    <button type="button" class="main" onclick={save_close}>{ state.t(T::SaveAndClose) }</button>
                }
            </div>
            <div class="text" ref={place} lang="en" />
            <p class="muted foot">{ fill(state.t(T::EditorHelp), editor.terminal, "") }</p>
        </div>
    }
}

/// Saves the text; whether it could be.
#[hook]
fn use_save(props: &WindowProps, slot: &Rc<Slot>, changed: &UseStateHandle<bool>) -> Callback<(), bool> {
    let (slot, changed) = ((**slot).clone(), changed.clone());
    let (id, send, state) = (props.editor.id, props.send.clone(), props.state.dispatcher());
    Callback::from(move |()| {
        let Some(text) = slot.borrow().as_ref().map(|mounted| mounted.glue.text()) else { return false };
        if text.len() > EDIT_BYTES_MAX {
            let detail = format!("{} > {EDIT_BYTES_MAX}", text.len());
            state.dispatch(Action::Notice(Notice { text: T::TextTooLong, detail }));
            return false;
        }
        send.emit(ToWorker::Input { input: Input::SaveEdit { id, text } });
        changed.set(false);
        true
    })
}

/// Loads CodeMirror into its place, gives it the keyboard, and gives the keyboard back at the end.
#[hook]
fn use_mounted(
    props: &WindowProps,
    place: &NodeRef,
    slot: &Rc<Slot>,
    changed: &UseStateHandle<bool>,
    save: &Callback<(), bool>,
) {
    let (editor, send, screens) = (props.editor.clone(), props.send.clone(), props.screens.clone());
    let (slot, state, place) = ((**slot).clone(), props.state.clone(), place.clone());
    let (set_changed, save) = (changed.setter(), save.clone());
    use_effect_with((), move |()| {
        let (inner, terminal) = (slot.clone(), editor.terminal);
        // A window that was closed while CodeMirror was loading stays closed.
        let gone = Rc::new(std::cell::Cell::new(false));
        let is_gone = Rc::clone(&gone);
        if let Some(element) = place.cast::<HtmlElement>() {
            spawn_local(async move {
                let on_change = Closure::<dyn Fn()>::new(move || set_changed.set(true));
                let on_save = Closure::<dyn Fn()>::new(move || {
                    save.emit(());
                });
                match mount(&element, &editor, &state, [on_change, on_save]).await {
                    Ok(mounted) if !is_gone.get() => {
                        mounted.glue.focus();
                        *inner.borrow_mut() = Some(mounted);
                    }
                    Ok(_) => {}
                    Err(error) => {
                        send.emit(ToWorker::Input { input: Input::RefuseEdit { id: editor.id } });
                        let detail = error_words(&error);
                        state.dispatch(Action::Notice(Notice { text: T::Problem, detail }));
                    }
                }
            });
        }
        move || {
            gone.set(true);
            slot.borrow_mut().take();
            screens.focus(terminal);
        }
    });
}

async fn mount(
    element: &HtmlElement,
    editor: &Editor,
    state: &State,
    listeners: [Closure<dyn Fn()>; 2],
) -> Result<Mounted, JsValue> {
    let module = JsFuture::from(load("js/editor.js")?).await?;
    let open: Function = Reflect::get(&module, &"openEditor".into())?.dyn_into()?;
    let options = Object::new();
    for (name, value) in [
        ("text", JsValue::from_str(&editor.text)),
        ("label", JsValue::from_str(&editor.path)),
        ("yaml", editor.is_yaml().into()),
        ("notYaml", JsValue::from_str(state.t(T::NotYaml))),
        ("readOnly", editor.read_only.into()),
    ] {
        Reflect::set(&options, &name.into(), &value)?;
    }
    let [on_change, on_save] = &listeners;
    let arguments = Array::of4(element, &options, on_change.as_ref(), on_save.as_ref());
    let glue: Glue = open.apply(&JsValue::UNDEFINED, &arguments)?.unchecked_into();
    Ok(Mounted { glue, _listeners: listeners })
}
