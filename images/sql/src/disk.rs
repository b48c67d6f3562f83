//! The log of changes in a file: what has been answered is in it, and what broke off at its end is not.
//!
//! Behind the magic, a frame is the count of its bytes, the checksums of that count and of the bytes, and the changes of one
//! commit. When the log has grown much larger than what it leads to, it is written anew beside itself and takes its own place.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::catalog::{Catalog, Change};
use crate::codec;

/// What a log begins with; the last byte is the version of its format.
const MAGIC: &[u8] = b"KBNSSQL\x01";
/// Bytes of a log that is never written anew.
const SMALL_BYTES: u64 = 1024 * 1024;

/// The log.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// Its bytes when it was last written anew.
    compact_bytes: u64,
}

/// FNV-1a: enough to tell a frame that was cut off.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, b| (sum ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3))
}

fn frame(changes: &[Change]) -> Vec<u8> {
    let mut body = Vec::new();
    changes.iter().for_each(|change| codec::write(change, &mut body));
    framed(&body)
}

fn framed(body: &[u8]) -> Vec<u8> {
    let count = (body.len() as u64).to_le_bytes();
    [&count[..], &checksum(&count).to_le_bytes(), &checksum(body).to_le_bytes(), body].concat()
}

/// What a log has next.
enum Next<'a> {
    /// A frame's changes, and what is behind it.
    Frame(Vec<Change>, &'a [u8]),
    /// Nothing, or what broke off while it was written.
    End,
    /// What was written whole and cannot be read: nothing behind it may be taken for lost.
    Damaged,
}

/// The first frame of a log.
fn first_frame(bytes: &[u8]) -> Next<'_> {
    let head = || {
        let (count, rest) = bytes.split_first_chunk::<8>()?;
        let (count_sum, rest) = rest.split_first_chunk::<8>()?;
        let (sum, rest) = rest.split_first_chunk::<8>()?;
        Some((count, u64::from_le_bytes(*count_sum), u64::from_le_bytes(*sum), rest))
    };
    let Some((count, count_sum, sum, rest)) = head() else { return Next::End };
    if checksum(count) != count_sum {
        // Some disks give zeros for what was not written any more.
        return if bytes.iter().all(|byte| *byte == 0) { Next::End } else { Next::Damaged };
    }
    let count = usize::try_from(u64::from_le_bytes(*count)).ok();
    let Some((body, rest)) = count.and_then(|count| rest.split_at_checked(count)) else { return Next::End };
    if checksum(body) != sum {
        return if rest.is_empty() { Next::End } else { Next::Damaged };
    }
    codec::read(body).map_or(Next::Damaged, |changes| Next::Frame(changes, rest))
}

fn damaged(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

impl Disk {
    /// Opens a log and makes its changes.
    ///
    /// # Errors
    /// Of the file; `InvalidData` if it is no log of this version, or is damaged before its end.
    pub(crate) fn open(path: &Path, catalog: &mut Catalog) -> io::Result<Disk> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other?,
        };
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        let Some(mut rest) = bytes.strip_prefix(MAGIC) else {
            if !MAGIC.starts_with(&bytes) {
                return Err(damaged("not a log of data of this version".to_owned()));
            }
            // It is new, or its first write broke off.
            file.set_len(0)?;
            file.write_all(MAGIC)?;
            file.sync_data()?;
            return Ok(Disk { path: path.to_owned(), file, bytes: MAGIC.len() as u64, compact_bytes: 0 });
        };
        loop {
            match first_frame(rest) {
                Next::Frame(changes, behind) => {
                    changes.iter().for_each(|change| catalog.apply(change));
                    rest = behind;
                }
                Next::End => break,
                Next::Damaged => {
                    return Err(damaged(format!("damaged at byte {}", bytes.len() - rest.len())));
                }
            }
        }
        let good = (bytes.len() - rest.len()) as u64;
        if !rest.is_empty() {
            file.set_len(good)?;
        }
        Ok(Disk { path: path.to_owned(), file, bytes: good, compact_bytes: 0 })
    }

    /// Keeps the changes of a commit.
    ///
    /// # Errors
    /// Of the file; what was written of them is taken away again.
    pub(crate) fn append(&mut self, changes: &[Change], catalog: &Catalog) -> io::Result<()> {
        let frame = frame(changes);
        if let Err(error) = self.file.write_all(&frame).and_then(|()| self.file.sync_data()) {
            let _ = self.file.set_len(self.bytes);
            return Err(error);
        }
        self.bytes += frame.len() as u64;
        if self.bytes > SMALL_BYTES && self.bytes > self.compact_bytes * 2 {
            // The log is good as it is: not to get room now is no reason to fail.
            let _ = self.compact(catalog);
        }
        Ok(())
    }

    fn compact(&mut self, catalog: &Catalog) -> io::Result<()> {
        let beside = self.path.with_extension("new");
        let bytes = [MAGIC, &frame(&catalog.as_changes())].concat();
        self.compact_bytes = bytes.len() as u64;
        // Opened before it takes the log's place: afterwards nothing may fail, or changes would go to the old file.
        let mut file = OpenOptions::new().create(true).append(true).open(&beside)?;
        file.set_len(0)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        std::fs::rename(&beside, &self.path)?;
        self.file = file;
        self.bytes = bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(name: &str) -> Change {
        Change::Database(name.to_owned(), true)
    }

    /// The databases that a log of these bytes leads to, and the bytes that it has then.
    fn opened(bytes: &[u8], name: &str) -> io::Result<(Vec<String>, Vec<u8>)> {
        let path = std::env::temp_dir().join(format!("kubonsai-disk-{name}-{}", std::process::id()));
        std::fs::write(&path, bytes)?;
        let mut catalog = Catalog::default();
        let result = Disk::open(&path, &mut catalog);
        let there = std::fs::read(&path)?;
        std::fs::remove_file(&path)?;
        result.map(|_| (catalog.databases.into_keys().collect(), there))
    }

    #[test]
    fn only_an_unfinished_end_is_cut_off() {
        let frames = [frame(&[database("a")]), frame(&[database("b")])];
        let whole = [MAGIC, &frames[0], &frames[1]].concat();
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(opened(&whole, "whole").expect("good"), (names(&["a", "b"]), whole.clone()));
        let first = whole[..MAGIC.len() + frames[0].len()].to_vec();
        for cut in [1, frames[1].len() - 3] {
            let cut = &whole[..whole.len() - cut];
            assert_eq!(opened(cut, "cut").expect("cut"), (names(&["a"]), first.clone()));
        }
        let mut last = whole.clone();
        *last.last_mut().expect("not empty") ^= 1;
        assert_eq!(opened(&last, "last").expect("cut"), (names(&["a"]), first));
        assert_eq!(opened(&MAGIC[..3], "begun").expect("begun"), (Vec::new(), MAGIC.to_vec()));
        let zeros = [&whole[..], &[0; 40]].concat();
        assert_eq!(opened(&zeros, "zeros").expect("cut"), (names(&["a", "b"]), whole.clone()));
        let mut middle = whole.clone();
        middle[MAGIC.len() + 25] ^= 1;
        // A count that is wrong does not hide what is behind it, though it may lead past the end.
        let mut count = whole.clone();
        count[MAGIC.len() + 3] ^= 1;
        // Written whole, and of a change that nobody knows.
        let unknown = [MAGIC, &framed(&[250]), &frames[1]].concat();
        for bad in [middle, count, unknown, frames.concat(), b"KBNSSQL\x02".to_vec()] {
            assert_eq!(opened(&bad, "bad").expect_err("refused").kind(), io::ErrorKind::InvalidData);
        }
    }
}
