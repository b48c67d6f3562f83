//! Stands in for a part of the control plane: says so and waits for its end. The simulated machine does the work.
//!
//! Without std: see `Cargo.toml`. What is unsafe are the imports, with pointers to our own memory that the host reads or
//! fills during the call.
#![cfg_attr(target_os = "wasi", no_std)]

#[cfg(target_os = "wasi")]
mod guest {
    use core::ptr::addr_of_mut;

    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn args_sizes_get(count: *mut usize, bytes: *mut usize) -> u32;
        fn args_get(pointers: *mut *mut u8, bytes: *mut u8) -> u32;
        fn fd_write(fd: u32, pieces: *const Piece, count: usize, written: *mut usize) -> u32;
        fn poll_oneoff(what: *const Clock, events: *mut [u64; 4], count: usize, happened: *mut usize) -> u32;
        fn proc_exit(code: u32) -> !;
    }

    #[link(wasm_import_module = "kubonsai")]
    unsafe extern "C" {
        fn signal_handle(signal: u32, mode: u32) -> u32;
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

    /// Room for the arguments; with more, the name is left out.
    const ARGUMENTS_MAX: usize = 64;
    const ARGUMENT_BYTES_MAX: usize = 4096;
    static mut POINTERS: [*mut u8; ARGUMENTS_MAX] = [core::ptr::null_mut(); ARGUMENTS_MAX];
    static mut ARGUMENTS: [u8; ARGUMENT_BYTES_MAX] = [0; ARGUMENT_BYTES_MAX];

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

    /// The last part of the program's path.
    fn name() -> &'static [u8] {
        let (mut count, mut bytes) = (0, 0);
        let arguments = unsafe {
            args_sizes_get(&mut count, &mut bytes);
            if count == 0 || count > ARGUMENTS_MAX || bytes > ARGUMENT_BYTES_MAX {
                return b"";
            }
            args_get(addr_of_mut!(POINTERS).cast(), addr_of_mut!(ARGUMENTS).cast());
            &*addr_of_mut!(ARGUMENTS)
        };
        let path = arguments.split(|byte| *byte == 0).next().unwrap_or(b"");
        path.rsplit(|byte| *byte == b'/').next().unwrap_or(b"")
    }

    fn say(pieces: &[&[u8]]) {
        for piece in pieces {
            let mut written = 0;
            let piece = Piece { start: piece.as_ptr(), bytes: piece.len() };
            unsafe { fd_write(2, &piece, 1, &mut written) };
        }
    }

    /// The program.
    #[unsafe(no_mangle)]
    pub extern "C" fn _start() {
        let name = name();
        unsafe {
            signal_handle(SIGTERM, CATCH);
            signal_handle(SIGINT, CATCH);
        }
        say(&[
            name,
            b": this container stands in for ",
            name,
            b". The simulated machine does its work; nothing is served here.\n",
        ]);
        let clock =
            Clock { userdata: 0, tag: 0, clock: MONOTONIC, nanoseconds: WAIT_NANOSECONDS, precision: 0, flags: 0 };
        let (mut event, mut happened) = ([0; 4], 0);
        // Ends when a signal comes.
        unsafe {
            poll_oneoff(&clock, &mut event, 1, &mut happened);
            proc_exit(0);
        }
    }
}
