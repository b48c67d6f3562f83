//! INFO.

use crate::commands::{Answer, lower};
use crate::core::Core;
use crate::resp::{Bytes, Reply};

/// Gives the lines of a section.
type Section = fn(&mut Core) -> String;

/// Sections in their order.
const SECTIONS: &[(&str, Section)] = &[
    ("Server", server),
    ("Clients", clients),
    ("Memory", memory),
    ("Persistence", persistence),
    ("Stats", stats),
    ("Replication", |_| "role:master\r\nconnected_slaves:0\r\n".to_owned()),
    ("Cluster", |_| "cluster_enabled:0\r\n".to_owned()),
    ("Keyspace", keyspace),
];

/// INFO with the names of sections.
///
/// # Errors
/// None.
pub fn info(core: &mut Core, _: u64, words: &[Bytes]) -> Answer {
    let wanted: Vec<String> = words[1..].iter().map(|w| lower(w)).collect();
    let all = wanted.is_empty() || wanted.iter().any(|w| matches!(w.as_str(), "all" | "default" | "everything"));
    let mut parts = Vec::new();
    for (name, text) in SECTIONS {
        if all || wanted.contains(&name.to_ascii_lowercase()) {
            parts.push(format!("# {name}\r\n{}", text(core)));
        }
    }
    Ok(Reply::text(parts.join("\r\n")))
}

fn server(core: &mut Core) -> String {
    let seconds = core.now.saturating_sub(core.started) / 1000;
    format!(
        "redis_version:{}\r\nredis_mode:standalone\r\nos:Kubonsai wasm32\r\narch_bits:64\r\nprocess_id:{}\r\ntcp_port:{}\r\nuptime_in_seconds:{seconds}\r\nuptime_in_days:{}\r\nconfig_file:\r\n",
        core.version,
        proc::id(),
        core.config.get("port"),
        seconds / 86_400,
    )
}

fn clients(core: &mut Core) -> String {
    let blocked = core.sessions.values().filter(|s| s.blocked.is_some()).count();
    let (count, most) = (core.sessions.len(), core.config.get("maxclients"));
    format!("connected_clients:{count}\r\nmaxclients:{most}\r\nblocked_clients:{blocked}\r\n")
}

/// `1.25M`.
fn human(bytes: u64) -> String {
    const UNITS: [(u64, char); 3] = [(1 << 30, 'G'), (1 << 20, 'M'), (1 << 10, 'K')];
    match UNITS.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => {
            let hundredths = bytes * 100 / size;
            format!("{}.{:02}{unit}", hundredths / 100, hundredths % 100)
        }
        None => format!("{bytes}B"),
    }
}

fn memory(core: &mut Core) -> String {
    let used = core.store.used_bytes() as u64;
    let most = core.config.number("maxmemory");
    format!(
        "used_memory:{used}\r\nused_memory_human:{}\r\nmaxmemory:{most}\r\nmaxmemory_human:{}\r\nmaxmemory_policy:{}\r\n",
        human(used),
        human(most),
        core.config.get("maxmemory-policy"),
    )
}

fn persistence(core: &mut Core) -> String {
    let appends = u8::from(core.disk.as_ref().is_some_and(|disk| disk.appends()));
    let status = if core.failed_save.is_some() { "err" } else { "ok" };
    let (saved, changes) = (core.saved.0 / 1000, core.store.changes - core.saved.1);
    format!(
        "loading:0\r\nrdb_changes_since_last_save:{changes}\r\nrdb_bgsave_in_progress:0\r\nrdb_last_save_time:{saved}\r\nrdb_last_bgsave_status:{status}\r\naof_enabled:{appends}\r\n"
    )
}

fn stats(core: &mut Core) -> String {
    format!(
        "total_connections_received:{}\r\ntotal_commands_processed:{}\r\nevicted_keys:{}\r\n",
        core.connections, core.requests, core.store.evicted
    )
}

fn keyspace(core: &mut Core) -> String {
    let (mut out, now) = (String::new(), core.now);
    for (number, db) in core.store.databases.iter_mut().enumerate() {
        let live = db.live(now);
        if live.is_empty() {
            continue;
        }
        let ends: Vec<u64> = live.values().filter_map(|entry| entry.expires).map(|end| end - now).collect();
        let average = ends.iter().sum::<u64>() / ends.len().max(1) as u64;
        out.push_str(&format!("db{number}:keys={},expires={},avg_ttl={average}\r\n", live.len(), ends.len()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::play;
    use crate::config::Config;

    #[test]
    fn sections_are_given_by_name() {
        let mut core = Core::new("8.0.2", Config::default(), 1_000);
        play(&mut core.store, 1_000, &["SET a 1", "SET b 1 PX 500"]);
        let Ok(Reply::Bulk(text)) = info(&mut core, 1, &[b"info".to_vec(), b"keyspace".to_vec()]) else {
            panic!("text")
        };
        assert_eq!(text, b"# Keyspace\r\ndb0:keys=2,expires=1,avg_ttl=500\r\n");
        let Ok(Reply::Bulk(text)) = info(&mut core, 1, &[b"info".to_vec()]) else { panic!("text") };
        assert!(text.starts_with(b"# Server\r\nredis_version:8.0.2\r\n"));
        assert_eq!((human(1_310_720), human(12)), ("1.25M".into(), "12B".into()));
    }
}
