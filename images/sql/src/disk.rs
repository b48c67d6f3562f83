//! The log of changes in a file: what has been answered is in it, and what broke off at its end is not.
//!
//! A frame is the count of its bytes, their checksum, and the changes of one commit. When the log has grown much larger
//! than what it leads to, it is written anew beside itself and takes its own place.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::catalog::{Catalog, Change};
use crate::codec;

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
    let mut out = Vec::with_capacity(body.len() + 16);
    out.extend_from_slice(&(body.len() as u64).to_le_bytes());
    out.extend_from_slice(&checksum(&body).to_le_bytes());
    out.extend_from_slice(&body);
    out
}

/// The first frame's changes, and what is behind it.
fn first_frame(bytes: &[u8]) -> Option<(Vec<Change>, &[u8])> {
    let (count, rest) = bytes.split_first_chunk::<8>()?;
    let (sum, rest) = rest.split_first_chunk::<8>()?;
    let (body, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*count)).ok()?)?;
    (checksum(body) == u64::from_le_bytes(*sum)).then_some(())?;
    Some((codec::read(body)?, rest))
}

impl Disk {
    /// Opens a log and makes its changes.
    ///
    /// # Errors
    /// Of the file.
    pub(crate) fn open(path: &Path, catalog: &mut Catalog) -> io::Result<Disk> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            other => other?,
        };
        let mut rest = bytes.as_slice();
        while let Some((changes, behind)) = first_frame(rest) {
            changes.iter().for_each(|change| catalog.apply(change));
            rest = behind;
        }
        let good = (bytes.len() - rest.len()) as u64;
        let file = OpenOptions::new().create(true).append(true).open(path)?;
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
        let bytes = frame(&catalog.as_changes());
        self.compact_bytes = bytes.len() as u64;
        let mut file = File::create(&beside)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        std::fs::rename(&beside, &self.path)?;
        self.file = OpenOptions::new().append(true).open(&self.path)?;
        self.bytes = bytes.len() as u64;
        Ok(())
    }
}
