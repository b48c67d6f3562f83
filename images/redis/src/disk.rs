//! What survives the process: the append-only file and the snapshot, in the folder `dir`.

use std::fs::{File, OpenOptions};
use std::io::Write;

use crate::commands::{Call, find, lower};
use crate::config::Config;
use crate::resp::{Bytes, Sender, encode_request, parse_request};
use crate::snapshot;
use crate::store::Store;

/// The files of a server.
pub struct Disk {
    /// `dir/dbfilename`.
    snapshot: String,
    log: Option<Log>,
}

struct Log {
    file: File,
    /// Bytes of the whole requests in the file.
    length: u64,
    /// Bytes that could not be written yet. The server takes no requests that write meanwhile, so they stay few.
    pending: Bytes,
    /// The database that the next request in it is for.
    number: Option<usize>,
}

impl Log {
    /// Writes what is pending. After a failure the file ends with a whole request as before.
    fn flush(&mut self) -> std::io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.file.write_all(&self.pending) {
            // Else half of a request would stand between whole ones for ever.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }
}

/// Where the append-only file lies: the folder and manifest that versions from 7 on have beside it, and the file.
struct Places {
    folder: Option<String>,
    name: String,
    file: String,
}

fn places(config: &Config, major: u32) -> Places {
    let (dir, name) = (config.get("dir").trim_end_matches('/'), config.get("appendfilename").to_owned());
    if major < 7 {
        let file = format!("{dir}/{name}");
        return Places { folder: None, name, file };
    }
    let folder = format!("{dir}/{}", config.get("appenddirname"));
    let file = format!("{folder}/{name}.1.incr.aof");
    Places { folder: Some(folder), name, file }
}

impl Disk {
    /// Reads what is there and opens the append-only file if it is asked for; `say` takes lines of the log with their
    /// marks.
    ///
    /// # Errors
    /// What the server prints before it ends.
    pub fn open(
        config: &Config,
        version: &str,
        store: &mut Store,
        now: u64,
        say: &mut dyn FnMut(&str),
    ) -> Result<Disk, String> {
        let major: u32 = version.split('.').next().and_then(|m| m.parse().ok()).unwrap_or(7);
        let snapshot = format!("{}/{}", config.get("dir").trim_end_matches('/'), config.get("dbfilename"));
        let mut disk = Disk { snapshot, log: None };
        if config.yes("appendonly") {
            disk.open_log(&places(config, major), version, store, now, say)?;
        } else if let Ok(bytes) = std::fs::read(&disk.snapshot) {
            snapshot::read(&bytes, store, now)?;
            let keys: usize = store.databases.iter_mut().map(|db| db.live(now).len()).sum();
            if major >= 7 {
                say(&format!("* Done loading RDB, keys loaded: {keys}, keys expired: 0."));
            }
            say("* DB loaded from disk: 0.000 seconds");
        }
        Ok(disk)
    }

    fn open_log(
        &mut self,
        places: &Places,
        version: &str,
        store: &mut Store,
        now: u64,
        say: &mut dyn FnMut(&str),
    ) -> Result<(), String> {
        let cannot = |error: std::io::Error| {
            format!("Can't open the append-only file {}: {}", places.file, proc::Errno::from_io(&error))
        };
        let mut length = 0;
        match std::fs::read(&places.file) {
            Ok(bytes) => {
                length = replay(&bytes, store)?;
                if length < bytes.len() {
                    cut(&places.file, length, say).map_err(cannot)?;
                }
                say("* DB loaded from append only file: 0.000 seconds");
                if places.folder.is_some() {
                    say(&format!("* Opening AOF incr file {}.1.incr.aof on server start", places.name));
                }
            }
            Err(_) => {
                if let Some(folder) = &places.folder {
                    let name = &places.name;
                    std::fs::create_dir_all(folder).map_err(cannot)?;
                    let base = snapshot::write(&mut Store::default(), version, now);
                    std::fs::write(format!("{folder}/{name}.1.base.rdb"), base).map_err(cannot)?;
                    say(&format!("* Creating AOF base file {name}.1.base.rdb on server start"));
                    let manifest =
                        format!("file {name}.1.base.rdb seq 1 type b\nfile {name}.1.incr.aof seq 1 type i\n");
                    std::fs::write(format!("{folder}/{name}.manifest"), manifest).map_err(cannot)?;
                    say(&format!("* Creating AOF incr file {name}.1.incr.aof on server start"));
                }
            }
        }
        let file = OpenOptions::new().create(true).append(true).open(&places.file).map_err(cannot)?;
        self.log = Some(Log { file, length: length as u64, pending: Vec::new(), number: None });
        Ok(())
    }

    /// Appends requests that were made in a database; those that could not be written are kept for [`Disk::flush`].
    ///
    /// # Errors
    /// A full disk.
    pub fn append(&mut self, number: usize, requests: &[Vec<Bytes>]) -> std::io::Result<()> {
        let Some(log) = &mut self.log else { return Ok(()) };
        if log.number != Some(number) {
            encode_request(&[b"SELECT".to_vec(), number.to_string().into_bytes()], &mut log.pending);
            log.number = Some(number);
        }
        requests.iter().for_each(|words| encode_request(words, &mut log.pending));
        log.flush()
    }

    /// Writes what could not be written before.
    ///
    /// # Errors
    /// The disk is still full.
    pub fn flush(&mut self) -> std::io::Result<()> {
        self.log.as_mut().map_or(Ok(()), Log::flush)
    }

    /// Writes the snapshot.
    ///
    /// # Errors
    /// Of the file system.
    pub fn save(&self, store: &mut Store, version: &str, now: u64) -> std::io::Result<()> {
        // Written beside it first, so that a full disk leaves the old one whole.
        let beside = format!("{}.tmp", self.snapshot);
        std::fs::write(&beside, snapshot::write(store, version, now))?;
        std::fs::rename(&beside, &self.snapshot)
    }

    /// Whether there is an append-only file.
    pub fn appends(&self) -> bool {
        self.log.is_some()
    }
}

/// The time while an append-only file is read. Nothing ends before the server runs: requests were made on keys that
/// had not ended then, and a key that did end has its own `DEL`.
const REPLAY_TIME: u64 = 0;

/// Cuts an append-only file off after its last whole request, else the next one would follow half of one.
fn cut(file: &str, length: usize, say: &mut dyn FnMut(&str)) -> std::io::Result<()> {
    let name = file.rsplit('/').next().unwrap_or(file);
    say(&format!("# !!! Warning: short read while loading the AOF file {name}!!!"));
    say(&format!("# !!! Truncating the AOF {name} at offset {length} !!!"));
    OpenOptions::new().write(true).open(file)?.set_len(length as u64)?;
    say(&format!("# AOF {name} loaded anyway because aof-load-truncated is enabled"));
    Ok(())
}

/// Makes the requests of an append-only file and gives how many of its bytes they take: less than all if the last one
/// is cut off, which is left out as with `aof-load-truncated yes`.
fn replay(bytes: &[u8], store: &mut Store) -> Result<usize, String> {
    let (mut number, mut at) = (0, 0);
    while let Some((words, used)) = parse_request(&bytes[at..], Sender::File)
        .map_err(|_| "Bad file format reading the append only file: make a backup of your AOF file, then use ./redis-check-aof --fix <filename>".to_owned())?
    {
        at += used;
        let Some(name) = words.first().map(|w| lower(w)) else { continue };
        if name == "select" {
            number = words.get(1).and_then(|w| String::from_utf8_lossy(w).parse().ok()).unwrap_or(0);
            continue;
        }
        let Some(command) = find(&name) else {
            return Err(format!("Unknown command '{name}' reading the append only file"));
        };
        let mut call = Call { store, number, words: &words, now: REPLAY_TIME, random: 0, instead: None };
        // What failed then fails now, and changes as little.
        let _ = (command.run)(&mut call);
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::Answer;
    use crate::commands::tests::play;
    use crate::core::Core;
    use crate::resp::Reply;
    use crate::store::Value;

    /// A server with an append-only file in a folder of its own, as it starts at a time.
    fn server(folder: &str, now: u64) -> Core {
        let mut config = Config::default();
        for (name, value) in [("dir", folder), ("appendonly", "yes"), ("save", "")] {
            config.set(name, value).expect("valid");
        }
        std::fs::create_dir_all(folder).expect("a folder");
        let mut core = Core::new("7.2.4", config, now);
        let disk = Disk::open(&core.config, "7.2.4", &mut core.store, now, &mut |_| {}).expect("readable");
        core.disk = Some(disk);
        core
    }

    /// A folder for files, empty.
    fn folder(name: &str) -> String {
        let folder = std::env::temp_dir().join(format!("redis-test-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder.to_string_lossy().into_owned()
    }

    fn run(core: &mut Core, line: &str) -> Answer {
        let words = crate::resp::split_words(line).expect("words");
        core.run(find(&lower(&words[0])).expect("known"), 0, &words)
    }

    #[test]
    fn keys_that_ended_stay_so_and_nothing_ends_while_reading() {
        let folder = folder("ended");
        let mut core = server(&folder, 1_000);
        for line in ["SET k 1 PX 10", "SET c 5 PX 5000", "INCR c"] {
            run(&mut core, line).expect("done");
        }
        core.now = 1_010;
        assert_eq!(run(&mut core, "GET k"), Ok(Reply::Nil));
        run(&mut core, "INCR k").expect("done");
        // All ends are over by then, and `k` has none.
        let mut again = server(&folder, 9_000);
        assert_eq!(run(&mut again, "GET k"), Ok(Reply::text("1")));
        assert_eq!(run(&mut again, "EXISTS c"), Ok(Reply::Int(0)));
        let mut back = server(&folder, 1_020);
        assert_eq!(run(&mut back, "EXISTS c"), Ok(Reply::Int(0)), "a clock that was set back brings nothing back");
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn a_cut_end_is_cut_off_before_more_is_written() {
        let folder = folder("cut");
        let mut core = server(&folder, 1_000);
        for line in ["SET a 1", "SET b 2"] {
            run(&mut core, line).expect("done");
        }
        let file = format!("{folder}/appendonlydir/appendonly.aof.1.incr.aof");
        let whole = std::fs::read(&file).expect("a file");
        std::fs::write(&file, &whole[..whole.len() - 4]).expect("written");
        let (mut store, mut said) = (Store::default(), Vec::new());
        let mut say = |line: &str| said.push(line.to_owned());
        let mut disk = Disk::open(&core.config, "7.2.4", &mut store, 1_000, &mut say).expect("readable");
        let offset = whole.len() - "*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n2\r\n".len();
        assert_eq!(said[1], format!("# !!! Truncating the AOF appendonly.aof.1.incr.aof at offset {offset} !!!"));
        disk.append(0, &[vec![b"INCR".to_vec(), b"a".to_vec()]]).expect("written");
        assert_eq!(run(&mut server(&folder, 1_000), "GET a"), Ok(Reply::text("2")));
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn writes_are_refused_while_the_file_cannot_be_written() {
        let folder = folder("full");
        let mut core = server(&folder, 1_000);
        run(&mut core, "SET a 1").expect("done");
        let file = format!("{folder}/appendonlydir/appendonly.aof.1.incr.aof");
        // A descriptor that only reads stands for a full disk.
        let whole = OpenOptions::new().append(true).open(&file).expect("a file");
        let log =
            |core: &mut Core, file: File| core.disk.as_mut().and_then(|d| d.log.as_mut()).expect("a log").file = file;
        log(&mut core, File::open(&file).expect("a file"));
        run(&mut core, "INCR a").expect("the answer comes before the file");
        assert_eq!(run(&mut core, "INCR a"), Err("MISCONF Errors writing to the AOF file: I/O error".to_owned()));
        assert_eq!(run(&mut core, "GET a"), Ok(Reply::text("2")));
        log(&mut core, whole);
        assert_eq!(run(&mut core, "INCR a"), Ok(Reply::Int(3)));
        assert_eq!(run(&mut server(&folder, 1_000), "GET a"), Ok(Reply::text("3")));
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn keys_end_without_being_touched() {
        let folder = folder("swept");
        let mut core = server(&folder, 1_000);
        for line in ["SET k 1 PX 10", "SET kept 1", "SET later 1", "PEXPIRE later 50", "GETEX later PX 60"] {
            run(&mut core, line).expect("done");
        }
        assert_eq!(core.due(), Some(1_010));
        core.tick(1_010);
        assert_eq!(core.due(), Some(1_110), "not more often than ten times a second");
        core.tick(1_110);
        assert_eq!((core.due(), core.store.databases[0].live(0).len()), (None, 1));
        assert_eq!(run(&mut server(&folder, 0), "DBSIZE"), Ok(Reply::Int(1)));
        core.config.set("maxmemory", "1000kb").expect("valid");
        core.store.databases[0].set(b"big".to_vec(), Value::Str(vec![b'x'; 200_000]), Some(1_120), 1_110);
        assert!(run(&mut core, "SET a 1").is_err());
        core.now = 1_120;
        assert_eq!(run(&mut core, "SET a 1"), Ok(Reply::ok()), "what has ended takes no memory");
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn an_append_only_file_is_played_up_to_where_it_is_cut() {
        let words = |line: &str| crate::resp::split_words(line).expect("words");
        let mut bytes = Vec::new();
        for line in ["SELECT 0", "SET a 1", "INCR a", "RPUSH l x", "PEXPIREAT l 50"] {
            encode_request(&words(line), &mut bytes);
        }
        let mut store = Store::default();
        replay(&bytes, &mut store).expect("valid");
        assert_eq!(play(&mut store, 10, &["GET a"]), Reply::text("2"));
        assert_eq!(play(&mut store, 50, &["EXISTS l"]), Reply::Int(0));
        let mut cut = Store::default();
        replay(&bytes[..bytes.len() - 3], &mut cut).expect("valid");
        assert_eq!(play(&mut cut, 50, &["EXISTS l"]), Reply::Int(1));
        assert!(replay(b"*1\r\n:1\r\n", &mut cut).is_err());
    }
}
