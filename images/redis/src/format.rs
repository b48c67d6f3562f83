//! Answers as redis-cli shows them.

use crate::resp::Reply;

/// An answer for people, with its last newline; `arrays` is whether an empty one is called an array, as from 6.0 on.
pub fn shown(reply: &Reply, arrays: bool) -> String {
    nested(reply, "", arrays)
}

fn nested(reply: &Reply, prefix: &str, arrays: bool) -> String {
    match reply {
        Reply::Simple(text) => format!("{text}\n"),
        Reply::Error(text) => format!("(error) {text}\n"),
        Reply::Int(n) => format!("(integer) {n}\n"),
        Reply::Bulk(bytes) => format!("{}\n", quoted(bytes)),
        Reply::Nil | Reply::NilArray => "(nil)\n".to_owned(),
        Reply::Array(all) if all.is_empty() => {
            if arrays { "(empty array)\n" } else { "(empty list or set)\n" }.to_owned()
        }
        Reply::Array(all) | Reply::Several(all) => {
            let width = all.len().to_string().len();
            let inner = format!("{prefix}{}", " ".repeat(width + 2));
            let mut out = String::new();
            for (at, element) in all.iter().enumerate() {
                // What is before the first one is there already.
                let before = if at == 0 { "" } else { prefix };
                out.push_str(&format!("{before}{:>width$}) {}", at + 1, nested(element, &inner, arrays)));
            }
            out
        }
    }
}

/// Some bytes between quotation marks.
pub fn quoted(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend(['\\', char::from(*byte)]),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            7 => out.push_str("\\a"),
            8 => out.push_str("\\b"),
            0x20..=0x7e => out.push(char::from(*byte)),
            other => out.push_str(&format!("\\x{other:02x}")),
        }
    }
    out.push('"');
    out
}

/// An answer for programs, without the newline that ends it.
pub fn raw(reply: &Reply) -> Vec<u8> {
    match reply {
        Reply::Simple(text) => text.clone().into_bytes(),
        Reply::Error(text) => format!("{text}\n").into_bytes(),
        Reply::Int(n) => n.to_string().into_bytes(),
        Reply::Bulk(bytes) => bytes.clone(),
        Reply::Nil | Reply::NilArray => Vec::new(),
        Reply::Array(all) | Reply::Several(all) => all.iter().map(raw).collect::<Vec<_>>().join(&b'\n'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_for_people_and_programs() {
        let list = |n: usize| Reply::Array((0..n).map(|_| Reply::text("a")).collect());
        assert_eq!(shown(&list(2), true), "1) \"a\"\n2) \"a\"\n");
        assert!(shown(&list(10), true).starts_with(" 1) \"a\"\n 2) "));
        let inner = Reply::Array(vec![Reply::text("0"), list(2), Reply::NilArray]);
        assert_eq!(shown(&inner, true), "1) \"0\"\n2) 1) \"a\"\n   2) \"a\"\n3) (nil)\n");
        assert_eq!(
            (shown(&list(0), true), shown(&list(0), false)),
            ("(empty array)\n".into(), "(empty list or set)\n".into())
        );
        assert_eq!(shown(&Reply::text("é\"\n"), true), "\"\\xc3\\xa9\\\"\\n\"\n");
        assert_eq!(raw(&inner), b"0\na\na\n");
        assert_eq!(raw(&Reply::Error("ERR x".into())), b"ERR x\n");
    }
}
