//! Error numbers of WASI preview 1 with the words of a C library: musl's, and glibc's and Go's for programs built with those.

use std::fmt;
use std::io;

/// An error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub u16);

macro_rules! errnos {
    ($($name:ident = $number:literal $words:literal;)*) => {
        impl Errno {
            $(#[doc = $words] pub const $name: Errno = Errno($number);)*

            /// The words of musl's `strerror`.
            pub fn words(self) -> &'static str {
                match self.0 {
                    $($number => $words,)*
                    _ => "Unknown error",
                }
            }
        }
    };
}

errnos! {
    ACCES = 2 "Permission denied";
    ADDRINUSE = 3 "Address in use";
    AGAIN = 6 "Resource temporarily unavailable";
    BADF = 8 "Bad file descriptor";
    BUSY = 10 "Resource busy";
    CHILD = 12 "No child process";
    CONNABORTED = 13 "Connection aborted";
    CONNREFUSED = 14 "Connection refused";
    CONNRESET = 15 "Connection reset by peer";
    EXIST = 20 "File exists";
    FAULT = 21 "Bad address";
    HOSTUNREACH = 23 "Host is unreachable";
    INPROGRESS = 26 "Operation in progress";
    INTR = 27 "Interrupted system call";
    INVAL = 28 "Invalid argument";
    IO = 29 "I/O error";
    ISDIR = 31 "Is a directory";
    LOOP = 32 "Symbolic link loop";
    MFILE = 33 "No file descriptors available";
    NAMETOOLONG = 37 "Filename too long";
    NETUNREACH = 40 "Network unreachable";
    NOENT = 44 "No such file or directory";
    NOEXEC = 45 "Exec format error";
    NOMEM = 48 "Out of memory";
    NOSPC = 51 "No space left on device";
    NOSYS = 52 "Function not implemented";
    NOTCONN = 53 "Socket not connected";
    NOTDIR = 54 "Not a directory";
    NOTEMPTY = 55 "Directory not empty";
    NOTTY = 59 "Not a tty";
    PERM = 63 "Operation not permitted";
    PIPE = 64 "Broken pipe";
    ROFS = 69 "Read-only file system";
    SRCH = 71 "No such process";
    TIMEDOUT = 73 "Operation timed out";
    XDEV = 75 "Cross-device link";
}

impl Errno {
    /// The words of glibc, which are not musl's everywhere.
    pub fn glibc_words(self) -> &'static str {
        match self {
            Errno::ADDRINUSE => "Address already in use",
            Errno::BUSY => "Device or resource busy",
            Errno::CHILD => "No child processes",
            Errno::CONNABORTED => "Software caused connection abort",
            Errno::HOSTUNREACH => "No route to host",
            Errno::IO => "Input/output error",
            Errno::LOOP => "Too many levels of symbolic links",
            Errno::MFILE => "Too many open files",
            Errno::NAMETOOLONG => "File name too long",
            Errno::NETUNREACH => "Network is unreachable",
            Errno::NOMEM => "Cannot allocate memory",
            Errno::NOTCONN => "Transport endpoint is not connected",
            Errno::NOTTY => "Inappropriate ioctl for device",
            Errno::TIMEDOUT => "Connection timed out",
            Errno::XDEV => "Invalid cross-device link",
            other => other.words(),
        }
    }

    /// The words of the C library of the image: musl's under Alpine.
    pub fn libc_words(self) -> &'static str {
        if std::path::Path::new("/etc/alpine-release").exists() { self.words() } else { self.glibc_words() }
    }

    /// The number that Linux has for an error, where it is printed.
    pub fn linux_number(self) -> u16 {
        match self {
            Errno::PERM => 1,
            Errno::NOENT => 2,
            Errno::SRCH => 3,
            Errno::INTR => 4,
            Errno::NOEXEC => 8,
            Errno::BADF => 9,
            Errno::CHILD => 10,
            Errno::AGAIN => 11,
            Errno::NOMEM => 12,
            Errno::ACCES => 13,
            Errno::FAULT => 14,
            Errno::BUSY => 16,
            Errno::EXIST => 17,
            Errno::XDEV => 18,
            Errno::NOTDIR => 20,
            Errno::ISDIR => 21,
            Errno::INVAL => 22,
            Errno::MFILE => 24,
            Errno::NOTTY => 25,
            Errno::NOSPC => 28,
            Errno::ROFS => 30,
            Errno::PIPE => 32,
            Errno::NAMETOOLONG => 36,
            Errno::NOSYS => 38,
            Errno::NOTEMPTY => 39,
            Errno::LOOP => 40,
            Errno::ADDRINUSE => 98,
            Errno::NETUNREACH => 101,
            Errno::CONNABORTED => 103,
            Errno::CONNRESET => 104,
            Errno::NOTCONN => 107,
            Errno::TIMEDOUT => 110,
            Errno::CONNREFUSED => 111,
            Errno::HOSTUNREACH => 113,
            Errno::INPROGRESS => 115,
            _ => 5, // EIO
        }
    }

    /// The words of Go's package syscall: glibc's in lower case.
    pub fn go_words(self) -> String {
        self.glibc_words().to_lowercase()
    }

    /// The number behind an error of std.
    pub fn from_io(error: &io::Error) -> Errno {
        use io::ErrorKind as K;
        if cfg!(target_os = "wasi")
            && let Some(number) = error.raw_os_error().and_then(|n| u16::try_from(n).ok())
        {
            return Errno(number);
        }
        match error.kind() {
            K::NotFound => Errno::NOENT,
            K::PermissionDenied => Errno::ACCES,
            K::AlreadyExists => Errno::EXIST,
            K::NotADirectory => Errno::NOTDIR,
            K::IsADirectory => Errno::ISDIR,
            K::DirectoryNotEmpty => Errno::NOTEMPTY,
            K::BrokenPipe => Errno::PIPE,
            K::Interrupted => Errno::INTR,
            K::InvalidInput => Errno::INVAL,
            K::AddrInUse => Errno::ADDRINUSE,
            _ => Errno::IO,
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl std::error::Error for Errno {}

impl From<Errno> for io::Error {
    fn from(errno: Errno) -> io::Error {
        if cfg!(target_os = "wasi") {
            io::Error::from_raw_os_error(i32::from(errno.0))
        } else {
            io::Error::other(errno)
        }
    }
}
