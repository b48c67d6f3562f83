//! Error numbers: those of WASI preview 1, with the messages that C libraries print for them.

use std::fmt;

macro_rules! errnos {
    ($($name:ident = $number:literal, $symbol:literal, $message:literal;)*) => {
        /// Why a file, process or socket call failed. The numbers are those of WASI preview 1.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Errno { $(#[doc = $message] $name = $number,)* }

        impl Errno {
            /// The symbol of the C headers, e.g. `ENOENT`.
            pub fn symbol(self) -> &'static str {
                match self { $(Errno::$name => $symbol,)* }
            }
            /// What `strerror` says, e.g. `No such file or directory`.
            pub fn message(self) -> &'static str {
                match self { $(Errno::$name => $message,)* }
            }
            /// The errno with this number; none for 0 (success) and numbers not in use here.
            pub fn from_number(number: u16) -> Option<Errno> {
                match number { $($number => Some(Errno::$name),)* _ => None }
            }
        }
    };
}

errnos! {
    TooBig = 1, "E2BIG", "Argument list too long";
    Access = 2, "EACCES", "Permission denied";
    AddressInUse = 3, "EADDRINUSE", "Address in use";
    AddressNotAvailable = 4, "EADDRNOTAVAIL", "Address not available";
    AddressFamily = 5, "EAFNOSUPPORT", "Address family not supported by protocol";
    Again = 6, "EAGAIN", "Resource temporarily unavailable";
    Already = 7, "EALREADY", "Operation already in progress";
    BadFd = 8, "EBADF", "Bad file descriptor";
    Busy = 10, "EBUSY", "Resource busy";
    NoChild = 12, "ECHILD", "No child process";
    ConnectionAborted = 13, "ECONNABORTED", "Connection aborted";
    ConnectionRefused = 14, "ECONNREFUSED", "Connection refused";
    ConnectionReset = 15, "ECONNRESET", "Connection reset by peer";
    Domain = 18, "EDOM", "Domain error";
    Exists = 20, "EEXIST", "File exists";
    Fault = 21, "EFAULT", "Bad address";
    FileTooBig = 22, "EFBIG", "File too large";
    HostUnreachable = 23, "EHOSTUNREACH", "Host is unreachable";
    InProgress = 26, "EINPROGRESS", "Operation in progress";
    Interrupted = 27, "EINTR", "Interrupted system call";
    Invalid = 28, "EINVAL", "Invalid argument";
    Io = 29, "EIO", "I/O error";
    IsConnected = 30, "EISCONN", "Socket is connected";
    IsDirectory = 31, "EISDIR", "Is a directory";
    Loop = 32, "ELOOP", "Symbolic link loop";
    TooManyFiles = 33, "EMFILE", "No file descriptors available";
    TooManyLinks = 34, "EMLINK", "Too many links";
    MessageSize = 35, "EMSGSIZE", "Message too large";
    NameTooLong = 37, "ENAMETOOLONG", "Filename too long";
    NetworkUnreachable = 40, "ENETUNREACH", "Network unreachable";
    TooManyFilesInSystem = 41, "ENFILE", "Too many open files in system";
    NoDevice = 43, "ENODEV", "No such device";
    NotFound = 44, "ENOENT", "No such file or directory";
    ExecFormat = 45, "ENOEXEC", "Exec format error";
    NoMemory = 48, "ENOMEM", "Out of memory";
    NoProtocolOption = 50, "ENOPROTOOPT", "Protocol not available";
    NoSpace = 51, "ENOSPC", "No space left on device";
    NotSupportedCall = 52, "ENOSYS", "Function not implemented";
    NotConnected = 53, "ENOTCONN", "Socket not connected";
    NotDirectory = 54, "ENOTDIR", "Not a directory";
    NotEmpty = 55, "ENOTEMPTY", "Directory not empty";
    NotSocket = 57, "ENOTSOCK", "Not a socket";
    NotSupported = 58, "ENOTSUP", "Not supported";
    NotTty = 59, "ENOTTY", "Not a tty";
    NoSuchDevice = 60, "ENXIO", "No such device or address";
    NotPermitted = 63, "EPERM", "Operation not permitted";
    BrokenPipe = 64, "EPIPE", "Broken pipe";
    ProtocolNotSupported = 66, "EPROTONOSUPPORT", "Protocol not supported";
    Range = 68, "ERANGE", "Result not representable";
    ReadOnly = 69, "EROFS", "Read-only file system";
    BadSeek = 70, "ESPIPE", "Invalid seek";
    NoProcess = 71, "ESRCH", "No such process";
    TimedOut = 73, "ETIMEDOUT", "Operation timed out";
    TextBusy = 74, "ETXTBSY", "Text file busy";
    CrossDevice = 75, "EXDEV", "Cross-device link";
    NotCapable = 76, "ENOTCAPABLE", "Capabilities insufficient";
}

impl Errno {
    /// The WASI number.
    pub fn number(self) -> u16 {
        self as u16
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Errno {}
