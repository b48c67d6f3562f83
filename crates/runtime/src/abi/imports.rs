//! The table of imports.

/// The width of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// `i32`
    I32,
    /// `i64`
    I64,
}

macro_rules! imports {
    ($($variant:ident $module:literal $name:literal $params:literal;)*) => {
        /// A function that a guest may import.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the names are those of the table below")]
        pub enum Call { $($variant,)* }

        /// Module, name, parameters (`i` = i32, `I` = i64) of every function. All return an errno but `proc_exit`.
        const IMPORTS: &[(Call, &str, &str, &str)] = &[$((Call::$variant, $module, $name, $params),)*];
    };
}

imports! {
    ArgsGet "w" "args_get" "ii";
    ArgsSizesGet "w" "args_sizes_get" "ii";
    EnvironGet "w" "environ_get" "ii";
    EnvironSizesGet "w" "environ_sizes_get" "ii";
    ClockResGet "w" "clock_res_get" "ii";
    ClockTimeGet "w" "clock_time_get" "iIi";
    FdAdvise "w" "fd_advise" "iIIi";
    FdAllocate "w" "fd_allocate" "iII";
    FdClose "w" "fd_close" "i";
    FdDatasync "w" "fd_datasync" "i";
    FdFdstatGet "w" "fd_fdstat_get" "ii";
    FdFdstatSetFlags "w" "fd_fdstat_set_flags" "ii";
    FdFdstatSetRights "w" "fd_fdstat_set_rights" "iII";
    FdFilestatGet "w" "fd_filestat_get" "ii";
    FdFilestatSetSize "w" "fd_filestat_set_size" "iI";
    FdFilestatSetTimes "w" "fd_filestat_set_times" "iIIi";
    FdPread "w" "fd_pread" "iiiIi";
    FdPrestatGet "w" "fd_prestat_get" "ii";
    FdPrestatDirName "w" "fd_prestat_dir_name" "iii";
    FdPwrite "w" "fd_pwrite" "iiiIi";
    FdRead "w" "fd_read" "iiii";
    FdReaddir "w" "fd_readdir" "iiiIi";
    FdRenumber "w" "fd_renumber" "ii";
    FdSeek "w" "fd_seek" "iIii";
    FdSync "w" "fd_sync" "i";
    FdTell "w" "fd_tell" "ii";
    FdWrite "w" "fd_write" "iiii";
    PathCreateDirectory "w" "path_create_directory" "iii";
    PathFilestatGet "w" "path_filestat_get" "iiiii";
    PathFilestatSetTimes "w" "path_filestat_set_times" "iiiiIIi";
    PathLink "w" "path_link" "iiiiiii";
    PathOpen "w" "path_open" "iiiiiIIii";
    PathReadlink "w" "path_readlink" "iiiiii";
    PathRemoveDirectory "w" "path_remove_directory" "iii";
    PathRename "w" "path_rename" "iiiiii";
    PathSymlink "w" "path_symlink" "iiiii";
    PathUnlinkFile "w" "path_unlink_file" "iii";
    PollOneoff "w" "poll_oneoff" "iiii";
    ProcExit "w" "proc_exit" "i";
    ProcRaise "w" "proc_raise" "i";
    RandomGet "w" "random_get" "ii";
    SchedYield "w" "sched_yield" "";
    SockAccept "w" "sock_accept" "iii";
    SockAccept2 "w" "sock_accept" "ii";
    SockRecv "w" "sock_recv" "iiiiii";
    SockSend "w" "sock_send" "iiiii";
    SockShutdown "w" "sock_shutdown" "ii";
    SockOpen "w" "sock_open" "iii";
    SockBind "w" "sock_bind" "iii";
    SockListen "w" "sock_listen" "ii";
    SockConnect "w" "sock_connect" "iii";
    SockRecvFrom "w" "sock_recv_from" "iiiiiiii";
    SockSendTo "w" "sock_send_to" "iiiiiii";
    SockGetLocalAddr "w" "sock_getlocaladdr" "iiii";
    SockGetLocalAddr3 "w" "sock_getlocaladdr" "iii";
    SockGetPeerAddr "w" "sock_getpeeraddr" "iiii";
    SockGetPeerAddr3 "w" "sock_getpeeraddr" "iii";
    SockSetSockopt "w" "sock_setsockopt" "iiiii";
    SockGetSockopt "w" "sock_getsockopt" "iiiii";
    SockGetAddrinfo "w" "sock_getaddrinfo" "iiiiiiii";
    Getcwd "k" "getcwd" "iii";
    Chdir "k" "chdir" "ii";
    Hostname "k" "hostname" "iii";
    Resolve "k" "resolve" "iiiii";
    ProcSpawn "k" "proc_spawn" "iiiiiiiii";
    ProcSpawnAs "k" "proc_spawn_as" "iiiiiiiiiii";
    ProcWait "k" "proc_wait" "iiii";
    ProcKill "k" "proc_kill" "ii";
    ProcGetpid "k" "proc_getpid" "i";
    ProcGetppid "k" "proc_getppid" "i";
    ProcList "k" "proc_list" "iii";
    Getuid "k" "getuid" "ii";
    Getgroups "k" "getgroups" "iii";
    Pipe "k" "pipe" "ii";
    FdDup "k" "fd_dup" "ii";
    TtyGet "k" "tty_get" "iii";
    TtySet "k" "tty_set" "ii";
    SignalHandle "k" "signal_handle" "ii";
    SignalTake "k" "signal_take" "i";
    Chmod "k" "chmod" "iii";
    Chown "k" "chown" "iiii";
    StatMode "k" "stat_mode" "iiiiii";
    MountInfo "k" "mount_info" "iii";
}

/// The function with this name and type; none when nobody offers it.
pub fn find(module: &str, name: &str, params: &[Width], returns: bool) -> Option<Call> {
    let short = match module {
        "wasi_snapshot_preview1" => "w",
        "kubonsai" => "k",
        _ => return None,
    };
    let widths = |text: &str| {
        text.len() == params.len()
            && text.bytes().zip(params).all(|(c, p)| *p == if c == b'I' { Width::I64 } else { Width::I32 })
    };
    IMPORTS
        .iter()
        .find(|(call, m, n, p)| *m == short && *n == name && widths(p) && returns == (*call != Call::ProcExit))
        .map(|(call, ..)| *call)
}
