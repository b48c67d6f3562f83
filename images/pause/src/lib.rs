//! Stands in for `pause` (kubernetes/build/pause): waits until it is told to end. What people run who want pods and no work.
//!
//! Without std, as `images/standin` is. What is unsafe are the imports, with pointers to our own memory that the host reads or
//! fills during the call.
#![cfg_attr(target_os = "wasi", no_std)]

#[cfg(target_os = "wasi")]
mod guest {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
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

    /// To standard error.
    fn say(text: &str) {
        let mut written = 0;
        let piece = Piece { start: text.as_ptr(), bytes: text.len() };
        unsafe { fd_write(2, &piece, 1, &mut written) };
    }

    /// The program.
    #[unsafe(no_mangle)]
    pub extern "C" fn _start() {
        let (mut count, mut bytes, mut pid) = (0, 0, 0);
        unsafe {
            args_sizes_get(&mut count, &mut bytes);
            proc_getpid(&mut pid);
        }
        if count > 1 {
            say("kubonsai does not support arguments (pause) yet\n");
            unsafe { proc_exit(1) }
        }
        if pid != 1 {
            say("Warning: pause should be the first process\n");
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
        say(if signal == SIGINT {
            "Shutting down, got signal: Interrupt\n"
        } else {
            "Shutting down, got signal: Terminated\n"
        });
        unsafe { proc_exit(0) }
    }
}
