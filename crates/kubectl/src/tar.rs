//! Archives in the ustar format, as `kubectl cp` sends them to and takes them from `tar` in a container. Pure.

/// One file or folder of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name; a folder's has no slash at its end.
    pub name: String,
    /// The content; none for a folder.
    pub content: Option<Vec<u8>>,
}

const BLOCK: usize = 512;
/// Names longer than the header's field are told by an entry of their own.
const NAME_BYTES_MAX: usize = 100;

/// An archive of entries.
pub fn pack(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        match &entry.content {
            None => header(&mut out, &format!("{}/", entry.name), "0000755", 0, b'5'),
            Some(content) => {
                header(&mut out, &entry.name, "0000644", content.len(), b'0');
                out.extend_from_slice(content);
                pad(&mut out);
            }
        }
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

fn header(out: &mut Vec<u8>, name: &str, mode: &str, size: usize, kind: u8) {
    if name.len() > NAME_BYTES_MAX {
        header(out, "././@LongLink", "0000000", name.len() + 1, b'L');
        out.extend_from_slice(name.as_bytes());
        out.push(0);
        pad(out);
    }
    let mut block = [0_u8; BLOCK];
    let mut put = |at: usize, text: &[u8], most: usize| {
        let text = &text[..text.len().min(most)];
        block[at..at + text.len()].copy_from_slice(text);
    };
    put(0, name.as_bytes(), NAME_BYTES_MAX);
    for (at, text) in [(100, mode), (108, "0000000"), (116, "0000000")] {
        put(at, text.as_bytes(), 7);
    }
    put(124, format!("{size:011o}").as_bytes(), 11);
    put(136, b"00000000000", 11);
    put(148, b"        ", 8);
    put(156, &[kind], 1);
    put(257, b"ustar  ", 7);
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.extend_from_slice(&block);
}

/// The files and folders of an archive; links and everything else are left out. What was cut off is lost.
pub fn unpack(archive: &[u8]) -> Vec<Entry> {
    let (mut entries, mut rest, mut long) = (Vec::new(), archive, None);
    while rest.len() >= BLOCK && rest[..BLOCK].iter().any(|byte| *byte != 0) {
        let (block, after) = rest.split_at(BLOCK);
        let size = usize::from_str_radix(text(block, 124, 12).trim(), 8).unwrap_or(0).min(after.len());
        let content = &after[..size];
        rest = &after[size.next_multiple_of(BLOCK).min(after.len())..];
        let prefix = if block[263] == b'0' { text(block, 345, 155) } else { String::new() };
        let own = match prefix.as_str() {
            "" => text(block, 0, NAME_BYTES_MAX),
            prefix => format!("{prefix}/{}", text(block, 0, NAME_BYTES_MAX)),
        };
        match block[156] {
            b'L' => long = Some(String::from_utf8_lossy(content).trim_end_matches('\0').to_owned()),
            b'5' => {
                let name = long.take().unwrap_or(own).trim_end_matches('/').to_owned();
                entries.push(Entry { name, content: None });
            }
            b'0' | 0 => entries.push(Entry { name: long.take().unwrap_or(own), content: Some(content.to_vec()) }),
            _ => long = None,
        }
    }
    entries
}

/// The text of a field, up to its first zero.
fn text(block: &[u8], at: usize, size: usize) -> String {
    let bytes = &block[at..at + size];
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(size);
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let file = |name: &str, content: &[u8]| Entry { name: name.to_owned(), content: Some(content.to_vec()) };
        let long = format!("d/{}", "x".repeat(150));
        let entries = vec![
            Entry { name: "d".into(), content: None },
            file("d/a", b"text"),
            file(&long, &[7; 513]),
            file("e", b""),
        ];
        let archive = pack(&entries);
        assert_eq!(archive.len() % BLOCK, 0);
        assert_eq!(unpack(&archive), entries);
        assert_eq!(unpack(&archive[..600]).len(), 1, "a cut archive is no disaster");
    }
}
