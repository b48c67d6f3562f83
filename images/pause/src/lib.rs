//! Stands in for `pause` (build/pause/linux/pause.c): waits until it is told to end. What people run who want pods and no work.
//! Of its arguments it knows `-v` and ignores all others.
//!
//! Without std, as `images/standin` is. What is unsafe are the imports, with pointers to our own memory that the host reads or
//! fills during the call.
#![cfg_attr(target_os = "wasi", no_std)]

#[cfg(any(target_os = "wasi", test))]
mod args;

#[cfg(target_os = "wasi")]
mod guest {
    use crate::args::asks_version;

    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn args_get(pointers: *mut *const u8, text: *mut u8) -> u32;
        fn args_sizes_get(count: *mut usize, bytes: *mut usize) -> u32;
        fn fd_write(fd: u32, pieces: *const Piece, count: usize, written: *mut usize) -> u32;
        fn poll_oneoff(what: *const Clock, events: *mut [u64; 4], count: usize, happened: *mut usize) -> u32;
        fn proc_exit(code: u32) -> !;
    }

    #[link(wasm_import_module = "kubonsai")]
    unsafe extern "C" {
        fn proc_getpid(out: *mut u32) -> u32;
        fn signal_handle(signal: u32, mode: u32) -> u32;
        fn signal_take(out: *mut u32) -> u32;
    }

    /// `iovec`
    #[repr(C)]
    struct Piece {
        start: *const u8,
        bytes: usize,
    }

    /// `subscription` to a clock.
    #[repr(C)]
    struct Clock {
        userdata: u64,
        tag: u64,
        clock: u64,
        nanoseconds: u64,
        precision: u64,
        flags: u64,
    }

    /// The version of the newest tag; all tags are one program here.
    const VERSION: &str = "pause.c v3.10.1\n";
    /// Arguments that are looked at: the stack has two kilobytes (build.rs). With more of them none asks for the version.
    const ARGUMENTS_MAX: usize = 16;
    /// Bytes of the arguments that are looked at.
    const ARGUMENTS_BYTES_MAX: usize = 512;
    const STDOUT: u32 = 1;
    const STDERR: u32 = 2;
    const SIGINT: u32 = 2;
    const SIGTERM: u32 = 15;
    const CATCH: u32 = 2;
    const MONOTONIC: u64 = 1;
    /// A hundred years: a wait with a time for its end is what a signal ends.
    const WAIT_NANOSECONDS: u64 = 100 * 365 * 86_400 * 1_000_000_000;

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }

    fn say(fd: u32, text: &str) {
        let mut written = 0;
        let piece = Piece { start: text.as_ptr(), bytes: text.len() };
        unsafe { fd_write(fd, &piece, 1, &mut written) };
    }

    /// Whether one of the arguments asks for the version.
    fn is_asked_for_version() -> bool {
        let (mut count, mut bytes) = (0, 0);
        let (mut pointers, mut text) = ([core::ptr::null(); ARGUMENTS_MAX], [0; ARGUMENTS_BYTES_MAX]);
        unsafe { args_sizes_get(&mut count, &mut bytes) };
        if count > ARGUMENTS_MAX || bytes > ARGUMENTS_BYTES_MAX {
            return false;
        }
        unsafe { args_get(pointers.as_mut_ptr(), text.as_mut_ptr()) };
        // One after the other, each with a zero at its end; the first is the name of the program.
        text.get(..bytes).is_some_and(|text| text.split(|byte| *byte == 0).take(count).skip(1).any(asks_version))
    }

    /// The program.
    #[unsafe(no_mangle)]
    pub extern "C" fn _start() {
        if is_asked_for_version() {
            say(STDOUT, VERSION);
            unsafe { proc_exit(0) }
        }
        let mut pid = 0;
        unsafe { proc_getpid(&mut pid) };
        if pid != 1 {
            say(STDERR, "Warning: pause should be the first process\n");
        }
        unsafe {
            signal_handle(SIGINT, CATCH);
            signal_handle(SIGTERM, CATCH);
        }
        let clock =
            Clock { userdata: 0, tag: 0, clock: MONOTONIC, nanoseconds: WAIT_NANOSECONDS, precision: 0, flags: 0 };
        let (mut event, mut happened, mut signal) = ([0; 4], 0, 0);
        while signal == 0 {
            unsafe {
                poll_oneoff(&clock, &mut event, 1, &mut happened);
                signal_take(&mut signal);
            }
        }
        let last = if signal == SIGINT {
            "Shutting down, got signal: Interrupt\n"
        } else {
            "Shutting down, got signal: Terminated\n"
        };
        say(STDERR, last);
        unsafe { proc_exit(0) }
    }
}
