//! From arguments and memory to an owned [`Syscall`] and the places for its answer.

use std::net::{Ipv4Addr, SocketAddrV4};

use bytes::{Bytes, BytesMut};
use vfs::Errno;

use super::memory::{iovecs, slice, u32_at, u64_at};
use super::{
    Address, Call, IO_BYTES_MAX, Interest, OpenFlags, Out, SUBSCRIPTIONS_MAX, Subscription, SubscriptionKind, Syscall,
    TimesFlags,
};

/// Address family of IPv4 in WasmEdge's dialect.
const FAMILY_INET4: u16 = 1;
/// Size of an address buffer that begins with a family.
const ADDRESS_WITH_FAMILY_BYTES: u32 = 128;

/// Takes arguments one after the other.
struct Args<'a> {
    values: &'a [u64],
    memory: &'a [u8],
}

impl<'a> Args<'a> {
    fn u64(&mut self) -> Result<u64, Errno> {
        let (first, rest) = self.values.split_first().ok_or(Errno::Invalid)?;
        self.values = rest;
        Ok(*first)
    }

    #[allow(clippy::cast_possible_truncation, reason = "an i32 argument was widened for the trip")]
    fn u32(&mut self) -> Result<u32, Errno> {
        Ok(self.u64()? as u32)
    }

    #[allow(clippy::cast_possible_truncation, reason = "flags are sixteen bits of an i32")]
    fn u16(&mut self) -> Result<u16, Errno> {
        Ok(self.u32()? as u16)
    }

    /// Pointer and length.
    fn bytes(&mut self) -> Result<&'a [u8], Errno> {
        let (at, length) = (self.u32()?, self.u32()?);
        slice(self.memory, at, length as usize)
    }

    fn string(&mut self) -> Result<String, Errno> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| Errno::Invalid)
    }

    /// Pointer, length and a place for the length used.
    fn buffer(&mut self, used_is_full: bool) -> Result<Out, Errno> {
        let (at, max, used) = (self.u32()?, self.u32()?, self.u32()?);
        slice(self.memory, at, max as usize)?;
        Ok(Out::Buffer { at, max, used, full_length: used_is_full })
    }

    fn read_vectors(&mut self) -> Result<(Vec<(u32, u32)>, usize), Errno> {
        let (at, count) = (self.u32()?, self.u32()?);
        let vectors = iovecs(self.memory, at, count)?;
        let total: usize = vectors.iter().map(|(_, length)| *length as usize).sum();
        Ok((vectors, total.min(IO_BYTES_MAX)))
    }

    fn write_vectors(&mut self) -> Result<Bytes, Errno> {
        let (at, count) = (self.u32()?, self.u32()?);
        let mut gathered = BytesMut::new();
        for (buffer, length) in iovecs(self.memory, at, count)? {
            let room = IO_BYTES_MAX - gathered.len();
            gathered.extend_from_slice(slice(self.memory, buffer, (length as usize).min(room))?);
        }
        Ok(gathered.freeze())
    }

    /// NUL-terminated strings one after the other.
    fn strings(&mut self) -> Result<Vec<Bytes>, Errno> {
        let text = self.bytes()?;
        let text = text.strip_suffix(b"\0").unwrap_or(text);
        if text.is_empty() {
            return Ok(Vec::new());
        }
        Ok(text.split(|b| *b == 0).map(Bytes::copy_from_slice).collect())
    }

    fn address(&mut self, port: impl FnOnce(&mut Self) -> Result<u32, Errno>) -> Result<Address, Errno> {
        let at = self.u32()?;
        let (buffer, length) = (u32_at(self.memory, at)?, u32_at(self.memory, at.checked_add(4).ok_or(Errno::Fault)?)?);
        let b = match length {
            4 | 16 => slice(self.memory, buffer, 4)?,
            ADDRESS_WITH_FAMILY_BYTES => {
                let b = slice(self.memory, buffer, 6)?;
                if u16::from_le_bytes([b[0], b[1]]) != FAMILY_INET4 {
                    return Err(Errno::AddressFamily);
                }
                &b[2..]
            }
            _ => return Err(Errno::Invalid),
        };
        let ip = Ipv4Addr::new(b[0], b[1], b[2], b[3]);
        let port = u16::try_from(port(self)?).map_err(|_| Errno::Invalid)?;
        Ok(SocketAddrV4::new(ip, port))
    }

    /// A place for an address: where, and with or without a family.
    fn address_out(&mut self) -> Result<(u32, bool), Errno> {
        let at = self.u32()?;
        let (buffer, length) = (u32_at(self.memory, at)?, u32_at(self.memory, at.checked_add(4).ok_or(Errno::Fault)?)?);
        if length < 4 {
            return Err(Errno::Invalid);
        }
        let with_family = length >= ADDRESS_WITH_FAMILY_BYTES;
        slice(self.memory, buffer, if with_family { 6 } else { 4 })?;
        Ok((buffer, with_family))
    }

    fn times(&mut self) -> Result<TimesFlags, Errno> {
        let times = TimesFlags { accessed: self.u64()?, modified: self.u64()?, flags: self.u16()? };
        if times.flags & 3 == 3 || times.flags & 12 == 12 { Err(Errno::Invalid) } else { Ok(times) }
    }

    fn subscriptions(&mut self, at: u32, count: u32) -> Result<Vec<Subscription>, Errno> {
        if count == 0 || count > SUBSCRIPTIONS_MAX {
            return Err(Errno::Invalid);
        }
        (0..count).map(|i| self.subscription(at.checked_add(i * 48).ok_or(Errno::Fault)?)).collect()
    }

    fn subscription(&self, at: u32) -> Result<Subscription, Errno> {
        let record = slice(self.memory, at, 48)?;
        let kind = match record[8] {
            0 => SubscriptionKind::Clock {
                id: u32_at(record, 16)?,
                timeout: u64_at(record, 24)?,
                absolute: record[40] & 1 != 0,
            },
            1 => SubscriptionKind::Fd { fd: u32_at(record, 16)?, interest: Interest::Read },
            2 => SubscriptionKind::Fd { fd: u32_at(record, 16)?, interest: Interest::Write },
            _ => return Err(Errno::Invalid),
        };
        Ok(Subscription { userdata: u64_at(record, 0)?, kind })
    }
}

/// Reads a call's arguments.
///
/// # Errors
/// `EFAULT` for pointers outside the memory, `EINVAL` for values that no call takes. The guest gets it as the errno.
pub fn decode(call: Call, values: &[u64], memory: &[u8]) -> Result<(Syscall, Out), Errno> {
    let mut a = Args { values, memory };
    match call {
        Call::ProcExit => Ok((Syscall::Exit(a.u32()?.cast_signed()), Out::None)),
        Call::ArgsGet => Ok((Syscall::Args, Out::Strings { pointers: a.u32()?, buffer: a.u32()? })),
        Call::ArgsSizesGet => Ok((Syscall::Args, Out::StringsSizes { count: a.u32()?, bytes: a.u32()? })),
        Call::EnvironGet => Ok((Syscall::Env, Out::Strings { pointers: a.u32()?, buffer: a.u32()? })),
        Call::EnvironSizesGet => Ok((Syscall::Env, Out::StringsSizes { count: a.u32()?, bytes: a.u32()? })),
        Call::ClockResGet => Ok((Syscall::ClockResolution { clock: a.u32()? }, Out::U64(a.u32()?))),
        Call::ClockTimeGet => {
            let clock = a.u32()?;
            a.u64()?; // precision: always the best
            Ok((Syscall::ClockTime { clock }, Out::U64(a.u32()?)))
        }
        Call::RandomGet => {
            let (at, length) = (a.u32()?, a.u32()? as usize);
            slice(memory, at, length)?;
            let vectors = vec![(at, u32::try_from(length).map_err(|_| Errno::Fault)?)];
            Ok((Syscall::Random { length }, Out::Vectors { vectors, count: None }))
        }
        Call::SchedYield => Ok((Syscall::Yield, Out::None)),
        Call::PollOneoff => {
            let (from, to, count) = (a.u32()?, a.u32()?, a.u32()?);
            let subscriptions = a.subscriptions(from, count)?;
            slice(memory, to, count as usize * 32)?;
            Ok((Syscall::Poll { subscriptions }, Out::Events { at: to, count: a.u32()? }))
        }
        _ => decode_fd(call, &mut a)
            .or_else(|| decode_path(call, &mut a))
            .or_else(|| decode_socket(call, &mut a))
            .or_else(|| decode_process(call, &mut a))
            .unwrap_or(Err(Errno::NotSupportedCall)),
    }
}

type Decoded = Result<(Syscall, Out), Errno>;

/// Gives none when `call` is of another family. Arguments are only taken by the family that knows it.
fn decode_fd(call: Call, a: &mut Args<'_>) -> Option<Decoded> {
    let mut go = || -> Result<Option<(Syscall, Out)>, Errno> {
        let fd = match call {
            Call::FdAdvise
            | Call::FdDatasync
            | Call::FdFdstatSetRights
            | Call::FdSync
            | Call::FdAllocate
            | Call::FdClose
            | Call::FdFdstatGet
            | Call::FdFdstatSetFlags
            | Call::FdFilestatGet
            | Call::FdFilestatSetSize
            | Call::FdFilestatSetTimes
            | Call::FdPread
            | Call::FdPrestatGet
            | Call::FdPrestatDirName
            | Call::FdPwrite
            | Call::FdRead
            | Call::FdReaddir
            | Call::FdRenumber
            | Call::FdSeek
            | Call::FdTell
            | Call::FdWrite
            | Call::FdDup => a.u32()?,
            _ => return Ok(None),
        };
        Ok(Some(match call {
            Call::FdAllocate => {
                let (offset, length) = (a.u64()?, a.u64()?);
                (Syscall::Allocate { fd, end: offset.checked_add(length).ok_or(Errno::FileTooBig)? }, Out::None)
            }
            Call::FdClose => (Syscall::Close { fd }, Out::None),
            Call::FdFdstatGet => (Syscall::Fdstat { fd }, Out::Fdstat(a.u32()?)),
            Call::FdFdstatSetFlags => (Syscall::SetFlags { fd, flags: a.u16()? }, Out::None),
            Call::FdFilestatGet => (Syscall::Filestat { fd }, Out::Filestat(a.u32()?)),
            Call::FdFilestatSetSize => (Syscall::SetSize { fd, size: a.u64()? }, Out::None),
            Call::FdFilestatSetTimes => (Syscall::SetTimes { fd, times: a.times()? }, Out::None),
            Call::FdRead | Call::FdPread => {
                let (vectors, max) = a.read_vectors()?;
                let offset = if call == Call::FdPread { Some(a.u64()?) } else { None };
                (Syscall::Read { fd, max, offset }, Out::Vectors { vectors, count: Some(a.u32()?) })
            }
            Call::FdWrite | Call::FdPwrite => {
                let bytes = a.write_vectors()?;
                let offset = if call == Call::FdPwrite { Some(a.u64()?) } else { None };
                (Syscall::Write { fd, bytes, offset }, Out::U32(a.u32()?))
            }
            Call::FdPrestatGet => (Syscall::Prestat { fd }, Out::Prestat(a.u32()?)),
            Call::FdPrestatDirName => {
                let (at, length) = (a.u32()?, a.u32()?);
                (Syscall::Prestat { fd }, Out::Exact { at, length })
            }
            Call::FdReaddir => {
                let (at, max, cookie) = (a.u32()?, a.u32()?, a.u64()?);
                slice(a.memory, at, max as usize)?;
                let max_bytes = (max as usize).min(IO_BYTES_MAX);
                let out = Out::Buffer { at, max, used: a.u32()?, full_length: false };
                (Syscall::Readdir { fd, cookie, max: max_bytes }, out)
            }
            Call::FdRenumber => (Syscall::Renumber { from: fd, to: a.u32()? }, Out::None),
            Call::FdSeek => {
                let delta = a.u64()?.cast_signed();
                (Syscall::Seek { fd, delta, whence: a.u32()? }, Out::U64(a.u32()?))
            }
            Call::FdTell => (Syscall::Seek { fd, delta: 0, whence: 1 }, Out::U64(a.u32()?)),
            Call::FdDup => (Syscall::Dup { fd }, Out::U32(a.u32()?)),
            _ => (Syscall::Touch { fd }, Out::None),
        }))
    };
    go().transpose()
}

/// Rights bits of `path_open` that tell reading and writing apart.
const RIGHT_READ: u64 = 1 << 1;
const RIGHT_WRITE: u64 = 1 << 6;

fn decode_path(call: Call, a: &mut Args<'_>) -> Option<Decoded> {
    let mut go = || -> Result<Option<(Syscall, Out)>, Errno> {
        Ok(Some(match call {
            Call::PathCreateDirectory => (Syscall::CreateDirectory { dir: a.u32()?, path: a.string()? }, Out::None),
            Call::PathFilestatGet => {
                let (dir, flags) = (a.u32()?, a.u32()?);
                let path = a.string()?;
                (Syscall::PathFilestat { dir, path, follow: flags & 1 != 0 }, Out::Filestat(a.u32()?))
            }
            Call::PathFilestatSetTimes => {
                let (dir, flags) = (a.u32()?, a.u32()?);
                let path = a.string()?;
                (Syscall::PathSetTimes { dir, path, follow: flags & 1 != 0, times: a.times()? }, Out::None)
            }
            Call::PathLink => {
                let (dir, flags) = (a.u32()?, a.u32()?);
                let path = a.string()?;
                let new_dir = a.u32()?;
                (Syscall::Link { dir, path, follow: flags & 1 != 0, new_dir, new_path: a.string()? }, Out::None)
            }
            Call::PathOpen => {
                let (dir, follow) = (a.u32()?, a.u32()? & 1 != 0);
                let path = a.string()?;
                let oflags = a.u32()?;
                let rights = a.u64()?;
                a.u64()?; // rights to inherit: not enforced
                let flags = OpenFlags {
                    follow,
                    create: oflags & 1 != 0,
                    directory: oflags & 2 != 0,
                    exclusive: oflags & 4 != 0,
                    truncate: oflags & 8 != 0,
                    read: rights & RIGHT_READ != 0,
                    write: rights & RIGHT_WRITE != 0,
                    fdflags: a.u16()?,
                };
                (Syscall::Open { dir, path, flags }, Out::U32(a.u32()?))
            }
            Call::PathReadlink => {
                let (dir, path) = (a.u32()?, a.string()?);
                (Syscall::Readlink { dir, path }, a.buffer(false)?)
            }
            Call::PathRemoveDirectory => (Syscall::RemoveDirectory { dir: a.u32()?, path: a.string()? }, Out::None),
            Call::PathRename => {
                let (dir, path) = (a.u32()?, a.string()?);
                (Syscall::Rename { dir, path, new_dir: a.u32()?, new_path: a.string()? }, Out::None)
            }
            Call::PathSymlink => {
                let target = a.string()?;
                (Syscall::Symlink { target, dir: a.u32()?, path: a.string()? }, Out::None)
            }
            Call::PathUnlinkFile => (Syscall::Unlink { dir: a.u32()?, path: a.string()? }, Out::None),
            Call::Getcwd => (Syscall::Getcwd, a.buffer(true)?),
            Call::Chdir => (Syscall::Chdir { path: a.string()? }, Out::None),
            Call::Chmod => (Syscall::Chmod { path: a.string()?, mode: a.u32()? }, Out::None),
            Call::Chown => (Syscall::Chown { path: a.string()?, uid: a.u32()?, gid: a.u32()? }, Out::None),
            Call::StatMode => {
                let path = a.string()?;
                let follow = a.u32()? & 1 != 0;
                (Syscall::StatMode { path, follow }, Out::Triple(a.u32()?, a.u32()?, a.u32()?))
            }
            Call::MountInfo => (Syscall::MountInfo, a.buffer(true)?),
            _ => return Ok(None),
        }))
    };
    go().transpose()
}

fn decode_socket(call: Call, a: &mut Args<'_>) -> Option<Decoded> {
    let mut go = || -> Result<Option<(Syscall, Out)>, Errno> {
        Ok(Some(match call {
            Call::SockAccept => {
                let (fd, flags) = (a.u32()?, a.u16()?);
                (Syscall::SockAccept { fd, flags }, Out::U32(a.u32()?))
            }
            Call::SockAccept2 => (Syscall::SockAccept { fd: a.u32()?, flags: 0 }, Out::U32(a.u32()?)),
            Call::SockRecv => {
                let fd = a.u32()?;
                let (vectors, max) = a.read_vectors()?;
                let peek = a.u32()? & 1 != 0;
                let out = Out::Received { vectors, count: a.u32()?, flags: a.u32()?, address: None, port: None };
                (Syscall::SockRecv { fd, max, peek }, out)
            }
            Call::SockRecvFrom => {
                let fd = a.u32()?;
                let (vectors, max) = a.read_vectors()?;
                let address = Some(a.address_out()?);
                let peek = a.u32()? & 1 != 0;
                let port = Some(a.u32()?);
                let out = Out::Received { vectors, count: a.u32()?, flags: a.u32()?, address, port };
                (Syscall::SockRecv { fd, max, peek }, out)
            }
            Call::SockSend => {
                let fd = a.u32()?;
                let bytes = a.write_vectors()?;
                a.u32()?; // flags: there are none
                (Syscall::Write { fd, bytes, offset: None }, Out::U32(a.u32()?))
            }
            Call::SockSendTo => {
                let fd = a.u32()?;
                let bytes = a.write_vectors()?;
                let address = a.address(Args::u32)?;
                a.u32()?; // flags: there are none
                (Syscall::SockSendTo { fd, bytes, address }, Out::U32(a.u32()?))
            }
            Call::SockShutdown => (Syscall::SockShutdown { fd: a.u32()?, how: a.u32()? }, Out::None),
            Call::SockOpen => (Syscall::SockOpen { family: a.u32()?, kind: a.u32()? }, Out::U32(a.u32()?)),
            Call::SockBind => (Syscall::SockBind { fd: a.u32()?, address: a.address(Args::u32)? }, Out::None),
            Call::SockListen => (Syscall::SockListen { fd: a.u32()? }, Out::None),
            Call::SockConnect => (Syscall::SockConnect { fd: a.u32()?, address: a.address(Args::u32)? }, Out::None),
            Call::SockGetLocalAddr | Call::SockGetLocalAddr3 | Call::SockGetPeerAddr | Call::SockGetPeerAddr3 => {
                let (fd, address) = (a.u32()?, a.address_out()?);
                let typed = matches!(call, Call::SockGetLocalAddr | Call::SockGetPeerAddr);
                let kind = if typed { Some(a.u32()?) } else { None };
                let peer = matches!(call, Call::SockGetPeerAddr | Call::SockGetPeerAddr3);
                (Syscall::SockAddress { fd, peer }, Out::Address { address, kind, port: a.u32()? })
            }
            Call::SockSetSockopt => {
                let (fd, _level, name) = (a.u32()?, a.u32()?, a.u32()?);
                (Syscall::SockSetOption { fd, name, value: Bytes::copy_from_slice(a.bytes()?) }, Out::None)
            }
            Call::SockGetSockopt => {
                let (fd, _level, name) = (a.u32()?, a.u32()?, a.u32()?);
                let (value, length) = (a.u32()?, a.u32()?);
                slice(a.memory, length, 4)?;
                (Syscall::SockGetOption { fd, name }, Out::U32(value))
            }
            Call::SockGetAddrinfo => {
                let name = a.string()?.trim_end_matches('\0').to_owned();
                let service = a.string()?;
                let port = service.trim_end_matches('\0').parse().unwrap_or(0);
                a.u32()?; // hints: only IPv4 and both types are there
                let (list, max) = (u32_at(a.memory, a.u32()?)?, a.u32()?);
                (Syscall::Resolve { name }, Out::Addrinfo { list, max, count: a.u32()?, port })
            }
            Call::Resolve => {
                let name = a.string()?;
                let (at, max) = (a.u32()?, a.u32()?);
                (Syscall::Resolve { name }, Out::Addresses { at, max, count: a.u32()? })
            }
            _ => return Ok(None),
        }))
    };
    go().transpose()
}

/// Descriptors handed to a child; more is `EINVAL`.
const CHILD_FDS_MAX: u32 = 64;

fn decode_process(call: Call, a: &mut Args<'_>) -> Option<Decoded> {
    let mut go = || -> Result<Option<(Syscall, Out)>, Errno> {
        Ok(Some(match call {
            Call::Hostname => (Syscall::Hostname, a.buffer(true)?),
            Call::ProcSpawn | Call::ProcSpawnAs => {
                let path = if call == Call::ProcSpawnAs { Some(a.string()?) } else { None };
                let (argv, env, cwd) = (a.strings()?, a.strings()?, a.string()?);
                let (at, count) = (a.u32()?, a.u32()?);
                if count > CHILD_FDS_MAX {
                    return Err(Errno::Invalid);
                }
                let fd = |i: u32| u32_at(a.memory, at.checked_add(i * 4).ok_or(Errno::Fault)?);
                let fds = (0..count).map(fd).collect::<Result<_, _>>()?;
                (Syscall::Spawn { path, argv, env, cwd, fds }, Out::U32(a.u32()?))
            }
            Call::ProcWait => {
                let (pid, flags) = (a.u32()?, a.u32()?);
                (Syscall::Wait { pid, no_hang: flags & 1 != 0 }, Out::Pair(a.u32()?, a.u32()?))
            }
            Call::ProcKill => (Syscall::Kill { pid: a.u32()?, signal: a.u32()? }, Out::None),
            Call::ProcRaise => (Syscall::Raise { signal: a.u32()? }, Out::None),
            Call::ProcGetpid => (Syscall::Getpid, Out::U32(a.u32()?)),
            Call::ProcGetppid => (Syscall::Getppid, Out::U32(a.u32()?)),
            Call::ProcList => (Syscall::ProcList, a.buffer(true)?),
            Call::Getgroups => (Syscall::Getgroups, a.buffer(true)?),
            Call::Getuid => (Syscall::Getuid, Out::Pair(a.u32()?, a.u32()?)),
            Call::Pipe => (Syscall::Pipe, Out::Pair(a.u32()?, a.u32()?)),
            Call::TtyGet => (Syscall::TtyGet { fd: a.u32()? }, Out::Pair(a.u32()?, a.u32()?)),
            Call::TtySet => (Syscall::TtySet { fd: a.u32()?, raw: a.u32()? & 1 != 0 }, Out::None),
            Call::SignalHandle => (Syscall::SignalHandle { signal: a.u32()?, mode: a.u32()? }, Out::None),
            Call::SignalTake => (Syscall::SignalTake, Out::U32(a.u32()?)),
            _ => return Ok(None),
        }))
    };
    go().transpose()
}
