//! The path calls as POSIX has them.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::rc::Rc;

use bytes::Bytes;
use simulation::Time;
use vfs::Entry;
use vfs::{Credentials, Errno, Layer, MountOptions, OpenOptions, Vfs};

fn vfs() -> Vfs {
    Vfs::new(Time::from_unix_seconds(1_000))
}

fn names(vfs: &Vfs, path: &str) -> Vec<String> {
    vfs.readdir(path).unwrap().into_iter().map(|e| e.name).collect()
}

#[test]
fn files_and_directories() {
    let fs = vfs();
    fs.mkdir_all("/home/learner").unwrap();
    let home = fs.at("/home/learner");
    home.write("a", "one\n").unwrap();
    home.append("a", b"two\n").unwrap();
    assert_eq!(fs.read_to_string("/home/learner/a").unwrap(), "one\ntwo\n");
    assert_eq!(fs.read_to_string("/home/./x/../learner//a"), Err(Errno::NotFound), "x does not exist");
    assert_eq!(home.read_to_string("../learner/a").unwrap(), "one\ntwo\n");
    assert_eq!(home.read("a/"), Err(Errno::NotDirectory));
    assert_eq!(home.read("a/b"), Err(Errno::NotDirectory));
    assert_eq!(home.read(""), Err(Errno::NotFound));
    assert_eq!(home.write("/", "x"), Err(Errno::IsDirectory));
    assert_eq!(home.mkdir("a", 0o755), Err(Errno::Exists));
    assert_eq!(home.mkdir("b/c", 0o755), Err(Errno::NotFound));
    home.mkdir("b/", 0o700).unwrap();
    assert_eq!(home.stat("b").unwrap().mode_string(), "drwx------");
    assert_eq!(home.stat(".").unwrap().links, 3);
    assert_eq!(home.unlink("b"), Err(Errno::IsDirectory));
    assert_eq!(home.rmdir("a"), Err(Errno::NotDirectory));
    assert_eq!(fs.rmdir("/home"), Err(Errno::NotEmpty));
    assert_eq!(fs.rmdir("/"), Err(Errno::Busy));
    assert_eq!(home.rmdir("."), Err(Errno::Invalid));
    assert_eq!(names(&home, "."), ["a", "b"]);
    fs.remove_all("/home").unwrap();
    assert_eq!(names(&fs, "/"), Vec::<String>::new());
    assert_eq!(fs.usage().bytes, 0, "everything was credited");
}

#[test]
fn links_and_loops() {
    let fs = vfs();
    fs.mkdir_all("/a/b").unwrap();
    fs.write("/a/b/file", "x").unwrap();
    fs.symlink("b/file", "/a/rel").unwrap();
    fs.symlink("/a/b", "/abs").unwrap();
    fs.symlink("loop2", "/loop1").unwrap();
    fs.symlink("loop1", "/loop2").unwrap();
    fs.symlink("self/x", "/self").unwrap();
    assert_eq!(fs.read_to_string("/a/rel").unwrap(), "x");
    assert_eq!(fs.read_to_string("/abs/../rel").unwrap(), "x", ".. is physical");
    assert_eq!(fs.canonicalize("/abs/file").unwrap(), "/a/b/file");
    assert_eq!(fs.readlink("/abs").unwrap(), "/a/b");
    assert_eq!(fs.readlink("/a/b"), Err(Errno::Invalid));
    assert!(fs.lstat("/abs").unwrap().is_symlink() && fs.stat("/abs").unwrap().is_dir());
    assert!(fs.lstat("/abs/").unwrap().is_dir(), "a slash follows");
    for path in ["/loop1", "/loop2/x", "/self"] {
        assert_eq!(fs.stat(path), Err(Errno::Loop), "{path}");
    }
    assert_eq!(Errno::Loop.message(), "Symbolic link loop");
    // a dangling link is created through
    fs.symlink("/a/new", "/dangling").unwrap();
    assert_eq!(fs.stat("/dangling"), Err(Errno::NotFound));
    fs.write("/dangling", "y").unwrap();
    assert_eq!(fs.read_to_string("/a/new").unwrap(), "y");
    let exclusive = OpenOptions { exclusive: true, ..OpenOptions::CREATE };
    assert_eq!(fs.open("/dangling", exclusive).err(), Some(Errno::Exists));
    let no_follow = OpenOptions { no_follow: true, ..OpenOptions::READ };
    assert_eq!(fs.open("/dangling", no_follow).err(), Some(Errno::Loop));
    // hard links share everything
    fs.link("/a/new", "/hard").unwrap();
    fs.append("/hard", b"z").unwrap();
    assert_eq!((fs.read_to_string("/a/new").unwrap(), fs.stat("/hard").unwrap().links), ("yz".into(), 2));
    fs.unlink("/a/new").unwrap();
    assert_eq!(fs.read_to_string("/hard").unwrap(), "yz");
    assert_eq!(fs.link("/a", "/hardlink-to-dir"), Err(Errno::NotPermitted));
    // removing a tree does not follow links out of it
    fs.mkdir("/tmp", 0o755).unwrap();
    fs.symlink("/a", "/tmp/out").unwrap();
    fs.remove_all("/tmp").unwrap();
    assert!(fs.exists("/a/b/file"));
}

#[test]
fn no_path_leaves_the_root() {
    let fs = vfs();
    fs.write("/top", "t").unwrap();
    fs.symlink("../../../../top", "/up").unwrap();
    for path in ["/../../top", "../../../top", "/up", "/./.././top"] {
        assert_eq!(fs.read_to_string(path).unwrap(), "t", "{path}");
    }
    assert_eq!(fs.stat("/../..").unwrap().ino, fs.stat("/").unwrap().ino);
    assert_eq!(fs.write(&"x".repeat(256), ""), Err(Errno::NameTooLong));
    assert_eq!(fs.stat(&"/x".repeat(3_000)), Err(Errno::NameTooLong));
    assert_eq!(fs.stat("a\0b"), Err(Errno::Invalid));
}

#[test]
fn rename_as_posix() {
    let fs = vfs();
    fs.mkdir_all("/d/sub").unwrap();
    fs.mkdir_all("/empty").unwrap();
    fs.write("/f", "f").unwrap();
    fs.write("/g", "g").unwrap();
    assert_eq!(fs.rename("/d", "/d/sub/inside"), Err(Errno::Invalid));
    assert_eq!(fs.rename("/d", "/d/sub"), Err(Errno::Invalid));
    assert_eq!(fs.rename("/d", "/f"), Err(Errno::NotDirectory));
    assert_eq!(fs.rename("/f", "/d"), Err(Errno::IsDirectory));
    assert_eq!(fs.rename("/empty", "/d"), Err(Errno::NotEmpty));
    assert_eq!(fs.rename("/nope", "/x"), Err(Errno::NotFound));
    fs.rename("/f", "/g").unwrap();
    assert_eq!(fs.read_to_string("/g").unwrap(), "f");
    fs.rename("/d", "/empty").unwrap();
    assert_eq!(names(&fs, "/"), ["empty", "g"]);
    assert_eq!(names(&fs, "/empty"), ["sub"]);
    fs.rename("/g", "/g").unwrap();
    fs.rename("/empty", "/renamed/").unwrap();
    assert_eq!(names(&fs, "/"), ["g", "renamed"]);
}

#[test]
fn an_open_file_outlives_its_name() {
    let fs = vfs();
    fs.write("/f", "hello").unwrap();
    let rw = OpenOptions { read: true, write: true, ..OpenOptions::READ };
    let file = fs.open("/f", rw).unwrap();
    fs.unlink("/f").unwrap();
    assert_eq!(file.write_at(8, b"!").unwrap(), 1);
    assert_eq!(file.read_at(0, 100).unwrap(), "hello\0\0\0!");
    assert_eq!(file.stat().unwrap().links, 0);
    assert!(fs.usage().bytes > 0);
    let second = file.clone();
    drop(file);
    assert_eq!(second.read_at(3, 2).unwrap(), "lo");
    assert_eq!(second.read_at(u64::MAX, 2).unwrap(), "");
    assert_eq!(second.write_at(u64::MAX, b"ab"), Err(Errno::FileTooBig));
    assert_eq!(second.write_at(1 << 40, b"ab"), Err(Errno::FileTooBig));
    drop(second);
    assert_eq!(fs.usage().bytes, 0);
    let read_only = {
        fs.write("/f", "x").unwrap();
        fs.open("/f", OpenOptions::READ).unwrap()
    };
    assert_eq!(read_only.write_at(0, b"x"), Err(Errno::BadFd));
    let append = fs.open("/f", OpenOptions::APPEND).unwrap();
    append.write_at(0, b"y").unwrap();
    assert_eq!(append.read_at(0, 9), Err(Errno::BadFd));
    assert_eq!(fs.read_to_string("/f").unwrap(), "xy");
}

#[test]
fn the_limit_is_enospc_and_nothing_is_half_written() {
    let fs = vfs();
    fs.set_limit(10_000);
    fs.write("/a", vec![1; 4_000]).unwrap();
    assert_eq!(fs.write("/b", vec![2; 8_000]), Err(Errno::NoSpace));
    assert_eq!(fs.append("/a", &[3; 8_000]), Err(Errno::NoSpace));
    assert_eq!(fs.stat("/a").unwrap().size, 4_000);
    fs.append("/a", &[3; 1_000]).unwrap();
    fs.unlink("/a").unwrap();
    fs.write("/b", vec![2; 8_000]).unwrap();
    assert_eq!(Errno::NoSpace.to_string(), "No space left on device");
}

fn layer() -> Rc<Layer> {
    Rc::new(
        Layer::from_entries(&[
            Entry::File("/bin/busybox", 0o755, Bytes::from_static(b"\0asm")),
            Entry::HardLink("/bin/sh", "/bin/busybox"),
            Entry::File("/etc/hostname", 0o644, Bytes::from_static(b"image\n")),
            Entry::Directory("/tmp", 0o1777),
        ])
        .unwrap(),
    )
}

#[test]
fn copy_on_write_over_a_shared_layer() {
    let shared = layer();
    let one = Vfs::with_layer(Time::default(), Rc::clone(&shared));
    let two = Vfs::with_layer(Time::default(), shared);
    assert_eq!(one.usage().bytes, 0);
    one.write("/etc/hostname", "one\n").unwrap();
    one.append("/bin/sh", b"more").unwrap();
    one.unlink("/etc/hostname").unwrap();
    one.write("/tmp/x", "").unwrap();
    assert_eq!(one.read("/bin/busybox").unwrap(), "\0asmmore", "hard links of a layer stay one node");
    assert_eq!(names(&one, "/etc"), Vec::<String>::new());
    assert_eq!(two.read_to_string("/etc/hostname").unwrap(), "image\n");
    assert_eq!(two.read("/bin/sh").unwrap(), "\0asm");
    assert_eq!(names(&two, "/tmp"), Vec::<String>::new());
    one.rmdir("/etc").unwrap();
    one.mkdir("/etc", 0o755).unwrap();
    assert_eq!(names(&one, "/etc"), Vec::<String>::new(), "the layer's names do not come back");
}

#[test]
fn mounts() {
    let root = Vfs::with_layer(Time::default(), layer());
    let volume = vfs();
    volume.mkdir_all("/html/deep").unwrap();
    volume.write("/html/index.html", "<p>").unwrap();
    volume.symlink("/../../../etc", "/html/evil").unwrap();
    root.mount("/usr/share/html", &volume, &MountOptions { read_only: false, sub_path: "html".into() }).unwrap();
    root.mount("/ro", &volume, &MountOptions { read_only: true, sub_path: String::new() }).unwrap();
    root.mount("/etc/hostname", &volume, &MountOptions { read_only: true, sub_path: "html/index.html".into() })
        .unwrap();
    assert_eq!(names(&root, "/usr/share/html"), ["deep", "evil", "index.html"]);
    assert_eq!(names(&root, "/usr/share/html/deep/../.."), ["html"], ".. leaves a mount");
    assert_eq!(root.read_to_string("/etc/hostname").unwrap(), "<p>", "a file on a file");
    assert_eq!(root.write("/etc/hostname", "x"), Err(Errno::ReadOnly));
    assert_eq!(root.write("/ro/x", "x"), Err(Errno::ReadOnly));
    assert_eq!(root.mkdir("/ro/x", 0o755), Err(Errno::ReadOnly));
    root.write("/usr/share/html/new", "n").unwrap();
    assert_eq!(root.read_to_string("/ro/html/new").unwrap(), "n");
    assert_eq!(volume.read_to_string("/html/new").unwrap(), "n");
    assert_eq!(root.rename("/usr/share/html/new", "/new"), Err(Errno::CrossDevice));
    assert_eq!(root.link("/usr/share/html/new", "/new"), Err(Errno::CrossDevice));
    assert_eq!(root.rmdir("/usr/share/html"), Err(Errno::Busy));
    assert_eq!(root.rename("/usr/share/html", "/elsewhere"), Err(Errno::Busy));
    assert_eq!(root.unlink("/etc/hostname"), Err(Errno::Busy));
    assert_ne!(root.stat("/ro").unwrap().dev, root.stat("/").unwrap().dev);
    assert_eq!(root.stat("/ro").unwrap().dev, root.stat("/usr/share/html").unwrap().dev);
    let escape = MountOptions { read_only: false, sub_path: "html/evil".into() };
    assert_eq!(root.mount("/evil", &volume, &escape), Err(Errno::NotFound), "a link cannot leave the source");
    root.unmount("/usr/share/html").unwrap();
    assert_eq!(names(&root, "/usr/share/html"), Vec::<String>::new());
    let sealed = root.read_only_root();
    assert_eq!(sealed.write("/x", ""), Err(Errno::ReadOnly));
    assert_eq!(sealed.mounts(), [("/ro".to_owned(), true), ("/etc/hostname".to_owned(), true)]);
}

#[test]
fn permissions() {
    let fs = vfs();
    let who = |uid| fs.as_user(Credentials { uid, gid: uid, groups: vec![50] });
    fs.mkdir("/tmp", 0o777).unwrap();
    fs.chmod("/tmp", 0o1777).unwrap();
    fs.write("/root-only", "secret").unwrap();
    fs.chmod("/root-only", 0o600).unwrap();
    let (alice, bob) = (who(1000), who(1001));
    assert_eq!(alice.read("/root-only"), Err(Errno::Access));
    assert_eq!(alice.write("/file", ""), Err(Errno::Access));
    alice.write("/tmp/mine", "m").unwrap();
    assert_eq!(fs.stat("/tmp/mine").unwrap().uid, 1000);
    assert_eq!(bob.unlink("/tmp/mine"), Err(Errno::NotPermitted), "sticky");
    assert_eq!(bob.write("/tmp/mine", ""), Err(Errno::Access));
    assert_eq!(bob.chmod("/tmp/mine", 0o777), Err(Errno::NotPermitted));
    assert_eq!(bob.chown("/tmp/mine", 1001, 1001), Err(Errno::NotPermitted));
    alice.mkdir("/tmp/dir", 0o700).unwrap();
    alice.write("/tmp/dir/x", "").unwrap();
    assert_eq!(bob.stat("/tmp/dir/x"), Err(Errno::Access));
    fs.chown("/tmp/dir", 1000, 50).unwrap();
    fs.chmod("/tmp/dir", 0o750).unwrap();
    bob.stat("/tmp/dir/x").unwrap();
    assert_eq!(fs.access("/root-only", 1), Err(Errno::Access), "root cannot run what nobody may");
    assert_eq!(Errno::Access.to_string(), "Permission denied");
}

#[test]
fn devices_and_generated_files() {
    let sim = simulation::Sim::new(simulation::SimConfig { seed: 1, start: Time::default() });
    let fs = Vfs::new(sim.clone());
    vfs::device::install(&fs, &sim).unwrap();
    fs.write("/dev/null", "gone").unwrap();
    fs.append("/dev/null", b"gone").unwrap();
    assert_eq!(fs.read("/dev/null").unwrap(), "");
    assert_eq!(fs.append("/dev/full", b"x"), Err(Errno::NoSpace));
    let random = fs.open("/dev/urandom", OpenOptions::READ).unwrap();
    assert_ne!(random.read_at(0, 8).unwrap(), random.read_at(0, 8).unwrap());
    assert_eq!(fs.stat("/dev/zero").unwrap().mode_string(), "crw-rw-rw-");
    fs.generated("/uptime", Rc::new(|| Bytes::from_static(b"1.00 1.00\n")), 0o444).unwrap();
    assert_eq!(fs.read_to_string("/uptime").unwrap(), "1.00 1.00\n");
    assert_eq!(fs.append("/uptime", b"x"), Err(Errno::Access));
}

#[test]
fn errno_numbers_are_those_of_wasi() {
    for (errno, number) in [(Errno::NotFound, 44), (Errno::Access, 2), (Errno::BrokenPipe, 64), (Errno::NotCapable, 76)]
    {
        assert_eq!(errno.number(), number);
        assert_eq!(Errno::from_number(number), Some(errno));
    }
    assert_eq!(Errno::from_number(0), None);
}

#[test]
fn what_is_mounted_stays_when_its_name_is_gone() {
    let source = Vfs::new(Time::from_unix_seconds(0));
    source.mkdir_all("/old").unwrap();
    source.write("/old/file", "one").unwrap();
    let view = Vfs::new(Time::from_unix_seconds(0));
    let options = MountOptions { sub_path: "old/file".to_owned(), ..MountOptions::default() };
    view.mount("/file", &source, &options).unwrap();
    source.remove_all("/old").unwrap();
    assert_eq!(view.read_to_string("/file").as_deref(), Ok("one"));
    assert!(source.usage().bytes > 0, "held by the mount");
    view.unmount("/file").unwrap();
    assert_eq!(source.usage().bytes, 0, "and let go with it");
}

#[test]
fn a_directory_of_a_group_gives_it_what_is_made_there() {
    let fs = vfs();
    fs.mkdir_all("/v").unwrap();
    fs.chown("/v", 0, 2000).unwrap();
    fs.chmod("/v", 0o2777).unwrap();
    let user = fs.as_user(Credentials { uid: 1000, gid: 3000, groups: vec![3000, 2000] });
    user.mkdir("/v/dir", 0o777).unwrap();
    user.write("/v/dir/file", "x").unwrap();
    let (dir, file) = (fs.stat("/v/dir").unwrap(), fs.stat("/v/dir/file").unwrap());
    assert_eq!((dir.mode_string().as_str(), dir.uid, dir.gid), ("drwxr-sr-x", 1000, 2000));
    assert_eq!((file.mode_string().as_str(), file.uid, file.gid), ("-rw-r--r--", 1000, 2000));
}
