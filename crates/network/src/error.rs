//! What can go wrong with a socket.

/// Why a socket call failed. The names follow errno, so that hosts can map them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// ECONNREFUSED: nothing listens there, or a rule rejects.
    #[error("connection refused")]
    Refused,
    /// EHOSTUNREACH: nobody has that address.
    #[error("no route to host")]
    Unreachable,
    /// ETIMEDOUT: nobody answered.
    #[error("connection timed out")]
    TimedOut,
    /// ECONNRESET: the peer broke the connection.
    #[error("connection reset by peer")]
    Reset,
    /// EPIPE: writing after the stream was shut down.
    #[error("broken pipe")]
    BrokenPipe,
    /// EADDRINUSE.
    #[error("address already in use")]
    AddrInUse,
    /// EADDRNOTAVAIL: the namespace does not have this address, or has no free port left.
    #[error("cannot assign requested address")]
    AddrNotAvailable,
    /// ENETDOWN: the namespace is gone.
    #[error("network is down")]
    Down,
    /// EMSGSIZE: longer than [`crate::limits::UDP_DATAGRAM_BYTES_MAX`].
    #[error("message too long")]
    MessageTooLong,
    /// EMFILE: [`crate::limits::NAMESPACE_SOCKETS_MAX`] sockets are open.
    #[error("too many open sockets")]
    TooManySockets,
    /// EAI_NONAME: the name does not exist.
    #[error("name or service not known")]
    NameNotFound,
    /// EAI_AGAIN: no name server answered.
    #[error("temporary failure in name resolution")]
    NameTryAgain,
}
