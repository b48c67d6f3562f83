//! The static files that a world asks for, embedded in the program.

use bytes::Bytes;
use simulation::ExternalError;

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The file at `path` below the folder of static files.
///
/// # Errors
/// There is no such file.
pub fn read(path: &str) -> Result<Bytes, ExternalError> {
    match ASSETS.binary_search_by(|(name, _)| (*name).cmp(path)) {
        Ok(index) => Ok(Bytes::from_static(ASSETS[index].1)),
        Err(_) => Err(ExternalError::NotFound),
    }
}
