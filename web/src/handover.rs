//! Sessions that leave the page and come into it: files and links. The bytes are made by [`crate::share`] and
//! [`crate::saved`]; compressing them, saving files and the address are the browser's.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::window;

use crate::saved::{FILE_BYTES_MAX, SavedSession};
use crate::share;
use crate::site::error_words;

#[wasm_bindgen(inline_js = "async function through(bytes, stream, most) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    size += value.length;
    if (size > most) throw new Error('it is too large');
    parts.push(value);
  }
}
export const squeeze = (bytes, most) => through(bytes, new CompressionStream('deflate-raw'), most);
export const unsqueeze = (bytes, most) => through(bytes, new DecompressionStream('deflate-raw'), most);
export function saveFile(name, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}")]
extern "C" {
    fn squeeze(bytes: &Uint8Array, most: u32) -> Promise;
    fn unsqueeze(bytes: &Uint8Array, most: u32) -> Promise;
    #[wasm_bindgen(js_name = saveFile)]
    fn save_file(name: &str, text: &str);
}

/// Offers the session as a file to save.
pub fn export(session: &SavedSession) {
    save_file(&session.file_name(), &session.to_file());
}

/// Reads the file that was chosen.
///
/// # Errors
/// Why it is no session, in English.
pub async fn import(file: web_sys::File) -> Result<SavedSession, String> {
    if file.size() > FILE_BYTES_MAX as f64 {
        return Err(format!("the file is larger than {FILE_BYTES_MAX} bytes"));
    }
    let text = JsFuture::from(file.text()).await.map_err(|error| error_words(&error))?;
    SavedSession::from_file(&text.as_string().unwrap_or_default())
}

/// A link to the page that opens the session.
///
/// # Errors
/// The browser's words.
pub async fn link_to(session: &SavedSession) -> Result<String, String> {
    let bytes = Uint8Array::from(share::pack(session).as_slice());
    let most = share::UNPACKED_BYTES_MAX as u32;
    let squeezed = JsFuture::from(squeeze(&bytes, most)).await.map_err(|error| error_words(&error))?;
    let letters = share::to_letters(&Uint8Array::new(&squeezed).to_vec());
    let address = window().and_then(|window| window.location().href().ok()).unwrap_or_default();
    let page = address.split('#').next().unwrap_or_default();
    Ok(format!("{page}{}{letters}", share::PREFIX))
}

/// Whether an address' fragment holds a session.
pub fn is_link(fragment: &str) -> bool {
    fragment.starts_with(share::PREFIX)
}

/// The session in an address' fragment.
///
/// # Errors
/// Why it is no session, in English.
pub async fn from_link(fragment: &str) -> Result<SavedSession, String> {
    let damaged = || "the link is damaged: a part of it is missing".to_owned();
    let letters = fragment.strip_prefix(share::PREFIX).ok_or_else(damaged)?;
    if letters.len() > share::LINK_CHARS_MAX {
        return Err(format!("the link is longer than {} letters", share::LINK_CHARS_MAX));
    }
    let bytes = share::from_letters(letters).ok_or_else(damaged)?;
    let bytes = Uint8Array::from(bytes.as_slice());
    let most = share::UNPACKED_BYTES_MAX as u32;
    let packed = JsFuture::from(unsqueeze(&bytes, most)).await.map_err(|_| damaged())?;
    share::unpack(&Uint8Array::new(&packed).to_vec())
}
