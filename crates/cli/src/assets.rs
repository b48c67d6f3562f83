//! The static files that a world asks for: embedded in the program, some of them perhaps from a folder of the user.

use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use simulation::ExternalError;

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Where the registry's files are below the folder of static files.
const REGISTRY: &str = "images/";

/// The embedded file at `path` below the folder of static files.
///
/// # Errors
/// There is no such file.
pub fn read(path: &str) -> Result<Bytes, ExternalError> {
    match ASSETS.binary_search_by(|(name, _)| (*name).cmp(path)) {
        Ok(index) => Ok(Bytes::from_static(ASSETS[index].1)),
        Err(_) => Err(ExternalError::NotFound),
    }
}

/// Static files, with a registry that may be the user's.
#[derive(Clone, Debug, Default)]
pub struct Files {
    registry: Option<PathBuf>,
}

impl Files {
    /// The embedded files; those of an image layout in the folder `registry` (index.json, blobs) come before them.
    pub fn new(registry: Option<PathBuf>) -> Files {
        Files { registry }
    }

    /// The file at `path` below the folder of static files.
    ///
    /// # Errors
    /// There is no such file.
    pub fn read(&self, path: &str) -> Result<Bytes, ExternalError> {
        let own = self.registry.as_ref().zip(path.strip_prefix(REGISTRY)).and_then(|(folder, path)| {
            let path = Path::new(path);
            let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
            is_below.then(|| std::fs::read(folder.join(path)).ok()).flatten()
        });
        own.map_or_else(|| read(path), |bytes| Ok(Bytes::from(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Files, read};

    #[test]
    fn a_folder_comes_before_what_is_embedded() {
        let folder = std::env::temp_dir().join(format!("kubonsai-files-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("index.json"), "mine").expect("written");
        let files = Files::new(Some(folder.clone()));
        assert_eq!(files.read("images/index.json").expect("found"), "mine");
        assert!(files.read("images/../images/index.json").is_err(), "nothing above the folder");
        assert_eq!(Files::default().read("images/index.json").ok(), read("images/index.json").ok());
        std::fs::remove_dir_all(folder).expect("it was there");
    }
}
