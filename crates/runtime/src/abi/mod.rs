//! What guests may call, as data: names and types of the imports, owned calls and replies, and how both are read from
//! and written to a guest's memory. ABI.md is the description for writers of guests. No engine is known here.

mod calls;
mod decode;
mod encode;
mod imports;
mod memory;

pub use calls::{
    Address, Event, Fdstat, Filestat, FiletypeCode, Interest, OpenFlags, Reply, Subscription, SubscriptionKind,
    Syscall, TimesFlags,
};
pub use decode::decode;
pub use encode::{Out, encode};
pub use imports::{Call, Width, find};

/// Bytes that one reading or writing call moves at most; programs are used to short counts.
pub const IO_BYTES_MAX: usize = 1024 * 1024;
/// Buffers of one call; more is `EINVAL`.
pub const IOVECS_MAX: u32 = 1024;
/// Subscriptions of one `poll_oneoff`; more is `EINVAL`.
pub const SUBSCRIPTIONS_MAX: u32 = 4096;
