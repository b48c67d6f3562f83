//! The imports: pointers to our own memory, valid for the length that goes with them, which the host only reads or
//! fills during the call.

#[cfg(target_os = "wasi")]
pub(crate) use wasi::*;

#[cfg(not(target_os = "wasi"))]
pub(crate) use native::*;

/// Socket type of UDP.
pub(crate) const DATAGRAM: u32 = 1;
/// Socket type of TCP.
pub(crate) const STREAM: u32 = 2;

/// What to wait for in a poll: a descriptor to read or to write, or a time.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(target_os = "wasi"), expect(dead_code, reason = "only the import reads them"))]
pub(crate) enum Subscription {
    Read(u32),
    Write(u32),
    /// Nanoseconds from now.
    After(u64),
}

#[cfg(target_os = "wasi")]
mod wasi {
    use super::Subscription;
    use proc::{Errno, Result};
    use std::net::{Ipv4Addr, SocketAddrV4};
    use std::time::Duration;

    /// SO_RCVTIMEO
    const RECEIVE_TIMEOUT: u32 = 11;
    /// SO_SNDTIMEO
    const SEND_TIMEOUT: u32 = 12;
    /// FDFLAGS_NONBLOCK
    const NONBLOCK: u32 = 4;

    #[repr(C)]
    struct Address {
        buf: *mut u8,
        len: u32,
    }

    #[repr(C)]
    struct Vector {
        buf: *mut u8,
        len: u32,
    }

    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn sock_open(family: u32, kind: u32, out: *mut u32) -> u32;
        fn sock_bind(fd: u32, address: *const Address, port: u32) -> u32;
        fn sock_listen(fd: u32, backlog: u32) -> u32;
        fn sock_accept(fd: u32, out: *mut u32) -> u32;
        fn sock_connect(fd: u32, address: *const Address, port: u32) -> u32;
        fn sock_shutdown(fd: u32, how: u32) -> u32;
        fn sock_setsockopt(fd: u32, level: u32, name: u32, value: *const u8, len: u32) -> u32;
        fn sock_getpeeraddr(fd: u32, address: *mut Address, out_port: *mut u32) -> u32;
        fn sock_send_to(
            fd: u32,
            vectors: *const Vector,
            count: u32,
            address: *const Address,
            port: u32,
            flags: u32,
            out_len: *mut u32,
        ) -> u32;
        fn sock_recv_from(
            fd: u32,
            vectors: *const Vector,
            count: u32,
            address: *mut Address,
            flags: u32,
            out_port: *mut u32,
            out_len: *mut u32,
            out_flags: *mut u32,
        ) -> u32;
        fn fd_fdstat_set_flags(fd: u32, flags: u32) -> u32;
        fn poll_oneoff(subscriptions: *const u8, events: *mut u8, count: usize, out_count: *mut u32) -> u32;
    }

    #[link(wasm_import_module = "kubonsai")]
    unsafe extern "C" {
        #[link_name = "resolve"]
        fn resolve_(name: *const u8, len: usize, out: *mut u8, max: u32, count: *mut u32) -> u32;
    }

    fn check(errno: u32) -> Result<()> {
        match u16::try_from(errno) {
            Ok(0) => Ok(()),
            Ok(number) => Err(Errno(number)),
            Err(_) => Err(Errno::IO),
        }
    }

    pub(crate) fn open(kind: u32) -> Result<u32> {
        let mut fd = 0;
        check(unsafe { sock_open(1, kind, &mut fd) })?;
        Ok(fd)
    }

    fn with_address<T>(ip: Ipv4Addr, call: impl FnOnce(*const Address) -> T) -> T {
        let mut octets = ip.octets();
        let address = Address { buf: octets.as_mut_ptr(), len: 4 };
        call(&address)
    }

    pub(crate) fn bind(fd: u32, to: SocketAddrV4) -> Result<()> {
        check(with_address(*to.ip(), |address| unsafe { sock_bind(fd, address, u32::from(to.port())) }))
    }

    pub(crate) fn listen(fd: u32, backlog: u32) -> Result<()> {
        check(unsafe { sock_listen(fd, backlog) })
    }

    pub(crate) fn accept(fd: u32) -> Result<u32> {
        let mut out = 0;
        check(unsafe { sock_accept(fd, &mut out) })?;
        Ok(out)
    }

    pub(crate) fn connect(fd: u32, to: SocketAddrV4) -> Result<()> {
        check(with_address(*to.ip(), |address| unsafe { sock_connect(fd, address, u32::from(to.port())) }))
    }

    pub(crate) fn set_timeout(fd: u32, time: Duration) -> Result<()> {
        // A timeval: seconds and microseconds of 64 bits.
        let mut value = [0u8; 16];
        value[..8].copy_from_slice(&time.as_secs().to_le_bytes());
        value[8..].copy_from_slice(&u64::from(time.subsec_micros()).to_le_bytes());
        for name in [RECEIVE_TIMEOUT, SEND_TIMEOUT] {
            check(unsafe { sock_setsockopt(fd, 0, name, value.as_ptr(), 16) })?;
        }
        Ok(())
    }

    pub(crate) fn set_nonblocking(fd: u32) -> Result<()> {
        check(unsafe { fd_fdstat_set_flags(fd, NONBLOCK) })
    }

    pub(crate) fn shutdown(fd: u32, how: u32) -> Result<()> {
        check(unsafe { sock_shutdown(fd, how) })
    }

    pub(crate) fn peer_address(fd: u32) -> Result<SocketAddrV4> {
        let mut octets = [0u8; 4];
        let mut address = Address { buf: octets.as_mut_ptr(), len: 4 };
        let mut port = 0;
        check(unsafe { sock_getpeeraddr(fd, &mut address, &mut port) })?;
        Ok(SocketAddrV4::new(Ipv4Addr::from(octets), port as u16))
    }

    pub(crate) fn send_to(fd: u32, bytes: &[u8], to: SocketAddrV4) -> Result<usize> {
        let vector = Vector { buf: bytes.as_ptr().cast_mut(), len: bytes.len() as u32 };
        let mut sent = 0;
        check(with_address(*to.ip(), |address| unsafe {
            sock_send_to(fd, &vector, 1, address, u32::from(to.port()), 0, &mut sent)
        }))?;
        Ok(sent as usize)
    }

    pub(crate) fn recv_from(fd: u32, buffer: &mut [u8]) -> Result<(usize, SocketAddrV4)> {
        let vector = Vector { buf: buffer.as_mut_ptr(), len: buffer.len() as u32 };
        let mut octets = [0u8; 4];
        let mut address = Address { buf: octets.as_mut_ptr(), len: 4 };
        let (mut port, mut length, mut flags) = (0, 0, 0);
        check(unsafe { sock_recv_from(fd, &vector, 1, &mut address, 0, &mut port, &mut length, &mut flags) })?;
        Ok((length as usize, SocketAddrV4::new(Ipv4Addr::from(octets), port as u16)))
    }

    /// Addresses taken from one answer of the resolver.
    const ADDRESSES_MAX: usize = 16;

    pub(crate) fn resolve(name: &str) -> Result<Vec<Ipv4Addr>> {
        let mut out = [[0u8; 4]; ADDRESSES_MAX];
        let mut count = 0;
        check(unsafe {
            resolve_(name.as_ptr(), name.len(), out.as_mut_ptr().cast(), ADDRESSES_MAX as u32, &mut count)
        })?;
        Ok(out.iter().take(count as usize).map(|octets| Ipv4Addr::from(*octets)).collect())
    }

    /// Waits until something is ready; gives the indexes of what is.
    pub(crate) fn poll(subscriptions: &[Subscription]) -> Result<Vec<usize>> {
        const SUBSCRIPTION_BYTES: usize = 48;
        const EVENT_BYTES: usize = 32;
        let mut input = vec![0u8; subscriptions.len() * SUBSCRIPTION_BYTES];
        for (i, (subscription, record)) in
            subscriptions.iter().zip(input.chunks_exact_mut(SUBSCRIPTION_BYTES)).enumerate()
        {
            record[..8].copy_from_slice(&(i as u64).to_le_bytes());
            match subscription {
                Subscription::After(nanos) => {
                    record[8] = 0;
                    record[16..20].copy_from_slice(&1u32.to_le_bytes());
                    record[24..32].copy_from_slice(&nanos.to_le_bytes());
                }
                Subscription::Read(fd) => {
                    record[8] = 1;
                    record[16..20].copy_from_slice(&fd.to_le_bytes());
                }
                Subscription::Write(fd) => {
                    record[8] = 2;
                    record[16..20].copy_from_slice(&fd.to_le_bytes());
                }
            }
        }
        let mut output = vec![0u8; subscriptions.len() * EVENT_BYTES];
        let mut count = 0u32;
        check(unsafe { poll_oneoff(input.as_ptr(), output.as_mut_ptr(), subscriptions.len(), &mut count) })?;
        let events = output.chunks_exact(EVENT_BYTES).take(count as usize);
        Ok(events.map(|event| event[..8].iter().rev().fold(0usize, |n, b| (n << 8) | usize::from(*b))).collect())
    }
}

#[cfg(not(target_os = "wasi"))]
mod native {
    use super::Subscription;
    use proc::{Errno, Result};
    use std::net::{Ipv4Addr, SocketAddrV4};
    use std::time::Duration;

    pub(crate) fn open(_: u32) -> Result<u32> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn bind(_: u32, _: SocketAddrV4) -> Result<()> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn listen(_: u32, _: u32) -> Result<()> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn accept(_: u32) -> Result<u32> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn connect(_: u32, _: SocketAddrV4) -> Result<()> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn set_timeout(_: u32, _: Duration) -> Result<()> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn set_nonblocking(_: u32) -> Result<()> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn shutdown(_: u32, _: u32) -> Result<()> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn peer_address(_: u32) -> Result<SocketAddrV4> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn send_to(_: u32, _: &[u8], _: SocketAddrV4) -> Result<usize> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn recv_from(_: u32, _: &mut [u8]) -> Result<(usize, SocketAddrV4)> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn resolve(_: &str) -> Result<Vec<Ipv4Addr>> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn poll(_: &[Subscription]) -> Result<Vec<usize>> {
        Err(Errno::NOSYS)
    }
}
