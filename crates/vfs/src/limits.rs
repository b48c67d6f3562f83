//! Named limits. Hitting one is an error of the call.

/// Links followed in one walk; one more is `ELOOP`.
pub const SYMLINKS_MAX: u32 = 40;
/// Bytes of one name; more is `ENAMETOOLONG`.
pub const NAME_BYTES_MAX: usize = 255;
/// Bytes of one path; more is `ENAMETOOLONG`.
pub const PATH_BYTES_MAX: usize = 4096;
/// Bytes of one file; more is `EFBIG`.
pub const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Bytes written into one tree unless its owner sets another limit; more is `ENOSPC`.
pub const TREE_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Nodes made in one tree; more is `ENOSPC`.
pub const TREE_NODES_MAX: usize = 100_000;
/// Names of one node; more is `EMLINK`. As many as ext4 has.
pub const LINKS_MAX: u32 = 65_000;
/// Bytes that a node costs besides its content, so that empty files are not free.
pub const NODE_BYTES: u64 = 256;
