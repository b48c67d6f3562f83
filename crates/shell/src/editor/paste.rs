//! What is done to a pasted text before it enters the line.

/// Line ends become newlines and tabs become blanks; a newline at the end stays, so that the line waits for Enter.
///
/// This is the one place through which pasted text passes.
pub fn clean(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', "    ")
}
