//! Images: references, the registry of static files, and what a node has.

mod config;
mod gzip;
mod reference;
mod registry;
mod store;

pub use config::ImageConfig;
pub use reference::{InvalidReference, Reference};
pub use registry::{Image, PullError, Registry};
pub use store::{ImageInfo, ImageStore};
