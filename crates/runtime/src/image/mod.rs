//! Images: references, the registry of static files, and what a node has.

mod config;
mod gzip;
#[expect(clippy::module_inception, reason = "an image among images")]
mod image;
mod login;
mod reference;
mod registry;
mod store;

pub use config::ImageConfig;
pub use gzip::unpack;
pub use image::{Image, ImageLayer, digest_of};
pub use login::Login;
pub use reference::{InvalidReference, Reference};
pub use registry::{PullError, Registry, is_known};
pub use store::{ImageInfo, ImageStore, Removed, StoredImage};
