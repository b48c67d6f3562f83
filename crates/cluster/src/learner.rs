//! The learner's machine: files, network and the programs that are installed.

use std::collections::BTreeMap;
use std::rc::Rc;

use machine::{Ctx, Host, Programs, Reader, Writer};
use network::{Fabric, NetNs, Role};
use simulation::Sim;
use simulation::notify::Signal;
use vfs::{Credentials, Vfs};

use crate::input::Language;
use crate::profile::HOST_ADDRESS;

/// Name of the learner's account.
pub(crate) const USER: &str = "learner";
/// The learner's home.
pub(crate) const HOME: &str = "/home/learner";
/// Name of the machine.
pub(crate) const HOSTNAME: &str = "kubonsai";
/// The variable that says which language the machine speaks.
pub(crate) const LANG: &str = "LANG";
/// Number of the learner's account.
const UID: u32 = 1000;

/// Files that are there from the start.
const FILES: &[(&str, &str)] = &[
    ("/etc/hostname", "kubonsai\n"),
    ("/etc/hosts", "127.0.0.1\tlocalhost\n127.0.1.1\tkubonsai\n"),
    ("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nlearner:x:1000:1000:learner:/home/learner:/bin/bash\n"),
    ("/etc/group", "root:x:0:\nlearner:x:1000:\n"),
    ("/etc/os-release", "NAME=\"Kubonsai\"\nID=kubonsai\nPRETTY_NAME=\"Kubonsai (simulated machine)\"\n"),
];

/// The machine.
pub(crate) struct Learner {
    pub(crate) fs: Vfs,
    pub(crate) net: NetNs,
    pub(crate) programs: Rc<Programs>,
    pub(crate) host: Rc<dyn Host>,
    /// What programs that are started from now on speak.
    pub(crate) language: Language,
}

impl Learner {
    pub(crate) fn new(sim: &Sim, fabric: &Fabric, programs: Programs, host: Rc<dyn Host>) -> Learner {
        let net = fabric.attach_as("learner", &[HOST_ADDRESS], Role::Outside);
        Learner { fs: files(sim), net, programs: Rc::new(programs), host, language: Language::default() }
    }

    /// What a shell starts with; streams are the caller's.
    pub(crate) fn ctx(&self, sim: &Sim, stdin: Reader, stdout: Writer, stderr: Writer) -> Ctx {
        Ctx {
            sim: sim.clone(),
            fs: self.fs.clone(),
            cwd: HOME.to_owned(),
            env: environment(self.language),
            stdin,
            stdout,
            stderr,
            tty: None,
            interrupt: Signal::new(),
            net: self.net.clone(),
            host: Rc::clone(&self.host),
            programs: Rc::clone(&self.programs),
        }
    }
}

fn environment(language: Language) -> BTreeMap<String, String> {
    [
        ("HOME", HOME),
        ("HOSTNAME", HOSTNAME),
        (LANG, language.locale()),
        ("LOGNAME", USER),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("PWD", HOME),
        ("SHELL", "/bin/bash"),
        ("TERM", "xterm-256color"),
        ("USER", USER),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

fn files(sim: &Sim) -> Vfs {
    let clock = sim.clone();
    let root = Vfs::new(clock);
    // The tree is empty and has no size limit yet: none of this can fail.
    let made = (|| {
        for folder in ["/bin", "/dev", "/etc", "/root", "/usr/bin", "/usr/local/bin", "/var/log", HOME] {
            root.mkdir_all(folder)?;
        }
        root.mkdir("/tmp", 0o777)?;
        root.chmod("/tmp", 0o1777)?; // a mode that mkdir alone would give less the umask
        vfs::device::install(&root, sim)?;
        for (path, text) in FILES {
            root.write(path, *text)?;
        }
        root.chown(HOME, UID, UID)
    })();
    assert!(made.is_ok(), "the learner's files: {made:?}");
    root.as_user(Credentials { uid: UID, gid: UID, groups: Vec::new() })
}
