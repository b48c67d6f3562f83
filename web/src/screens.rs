//! The glue to xterm.js: one screen a terminal, and text that comes before its screen is there.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlElement;

#[wasm_bindgen(inline_js = "export function load(path) { return import(new URL(path, document.baseURI).href); }
export function markPrompt() {
  requestAnimationFrame(() => {
    if (performance.getEntriesByName('prompt').length === 0) performance.mark('prompt');
  });
}")]
extern "C" {
    /// Loads a module that lies beside the page.
    #[wasm_bindgen(catch)]
    pub(crate) fn load(path: &str) -> Result<Promise, JsValue>;
    /// Marks the moment of the first prompt, once a visit, for `cargo xtask bench`.
    #[wasm_bindgen(js_name = markPrompt)]
    fn mark_prompt();
}

#[wasm_bindgen]
extern "C" {
    /// What `openTerminal` of js/terminal.js gives.
    type Screen;
    #[wasm_bindgen(method)]
    fn write(this: &Screen, text: &str);
    #[wasm_bindgen(method)]
    fn focus(this: &Screen);
    #[wasm_bindgen(method)]
    fn close(this: &Screen);
    #[wasm_bindgen(method, js_name = setTheme)]
    fn set_theme(this: &Screen, theme: &JsValue);
    #[wasm_bindgen(method, js_name = setScreenReader)]
    fn set_screen_reader(this: &Screen, on: bool);
    #[wasm_bindgen(method)]
    fn columns(this: &Screen) -> u16;
    #[wasm_bindgen(method)]
    fn rows(this: &Screen) -> u16;
}

/// Text kept for a screen that is not there yet, in bytes; older text is dropped first.
const EARLY_TEXT_BYTES_MAX: usize = 1024 * 1024;

struct Open {
    screen: Screen,
    _listeners: Vec<Box<dyn std::any::Any>>,
}

#[derive(Default)]
struct Inner {
    open: BTreeMap<u8, Open>,
    early: BTreeMap<u8, String>,
    /// Commands for terminals whose screens are not there yet.
    waiting: BTreeMap<u8, String>,
    marked: bool,
    /// Screens say what they show.
    reader: bool,
}

/// All screens of the page.
#[derive(Clone, Default)]
pub struct Screens(Rc<RefCell<Inner>>);

impl PartialEq for Screens {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Screens {
    /// Opens the screen of terminal `id` in an element; gives its size.
    ///
    /// # Errors
    /// The browser's exception when js/terminal.js cannot be loaded.
    pub async fn open(
        &self,
        id: u8,
        element: HtmlElement,
        theme: JsValue,
        on_keys: impl Fn(String) + 'static,
        on_resize: impl Fn(u16, u16) + 'static,
    ) -> Result<(u16, u16), JsValue> {
        let module = JsFuture::from(load("js/terminal.js")?).await?;
        let open: Function = Reflect::get(&module, &"openTerminal".into())?.dyn_into()?;
        let on_keys = Closure::<dyn Fn(String)>::new(on_keys);
        let on_resize = Closure::<dyn Fn(u16, u16)>::new(on_resize);
        let options = Object::new();
        Reflect::set(&options, &"theme".into(), &theme)?;
        let fonts =
            "ui-monospace, 'Cascadia Mono', Menlo, Consolas, 'Noto Sans Mono', 'Noto Sans Mono CJK JP', monospace";
        Reflect::set(&options, &"fontFamily".into(), &fonts.into())?;
        Reflect::set(&options, &"screenReader".into(), &self.0.borrow().reader.into())?;
        let arguments = js_sys::Array::of4(&element, &options, on_keys.as_ref(), on_resize.as_ref());
        let screen: Screen = open.apply(&JsValue::UNDEFINED, &arguments)?.unchecked_into();
        let size = (screen.columns(), screen.rows());
        let early = self.0.borrow_mut().early.remove(&id);
        if let Some(text) = early {
            screen.write(&text);
            mark_prompt();
        }
        let listeners: Vec<Box<dyn std::any::Any>> = vec![Box::new(on_keys), Box::new(on_resize)];
        let old = self.0.borrow_mut().open.insert(id, Open { screen, _listeners: listeners });
        if let Some(old) = old {
            old.screen.close();
        }
        Ok(size)
    }

    /// Writes to a screen.
    pub fn write(&self, id: u8, text: &str) {
        let inner = &mut *self.0.borrow_mut();
        match inner.open.get(&id) {
            Some(open) => {
                open.screen.write(text);
                if !inner.marked {
                    inner.marked = true;
                    mark_prompt();
                }
            }
            None => {
                let early = inner.early.entry(id).or_default();
                early.push_str(text);
                if early.len() > EARLY_TEXT_BYTES_MAX {
                    let cut = early.ceil_char_boundary(early.len() - EARLY_TEXT_BYTES_MAX);
                    early.drain(..cut);
                }
            }
        }
    }

    /// Keeps a command for a terminal until its screen is there.
    pub fn run_when_open(&self, id: u8, command: &str) {
        self.0.borrow_mut().waiting.insert(id, command.to_owned());
    }

    /// The command that was kept for a terminal; it is its now.
    pub fn command_waiting(&self, id: u8) -> Option<String> {
        self.0.borrow_mut().waiting.remove(&id)
    }

    /// Gives a screen the keyboard, after the page has been drawn: what is hidden until then cannot take it.
    pub fn focus(&self, id: u8) {
        let screens = self.clone();
        let focus = move || {
            if let Some(open) = screens.0.borrow().open.get(&id) {
                open.screen.focus();
            }
        };
        Timeout::new(0, focus).forget();
    }

    /// Changes the colours of every screen.
    pub fn set_theme(&self, theme: &JsValue) {
        for open in self.0.borrow().open.values() {
            open.screen.set_theme(theme);
        }
    }

    /// Lets every screen say what it shows, to a screen reader. It costs time with every line, so it is off at first.
    pub fn set_screen_reader(&self, on: bool) {
        self.0.borrow_mut().reader = on;
        for open in self.0.borrow().open.values() {
            open.screen.set_screen_reader(on);
        }
    }

    /// The size of a screen.
    pub fn size(&self, id: u8) -> Option<(u16, u16)> {
        self.0.borrow().open.get(&id).map(|open| (open.screen.columns(), open.screen.rows()))
    }

    /// Closes a screen.
    pub fn close(&self, id: u8) {
        let open = {
            let mut inner = self.0.borrow_mut();
            inner.early.remove(&id);
            inner.waiting.remove(&id);
            inner.open.remove(&id)
        };
        if let Some(open) = open {
            open.screen.close();
        }
    }

    /// Closes all.
    pub fn close_all(&self) {
        let open = {
            let mut inner = self.0.borrow_mut();
            inner.early.clear();
            inner.waiting.clear();
            std::mem::take(&mut inner.open)
        };
        for open in open.into_values() {
            open.screen.close();
        }
    }
}
