//! `docker images`, `rmi`, `tag`, `history` (`cli/command/image`).

use json::Value;
use runtime::image::{Reference, StoredImage};
use simulation::Time;

use crate::Daemon;
use crate::command::{Call, Command, Outcome, Wants, switch, value, values};
use crate::format::{Row, list};
use crate::text;

pub(crate) static IMAGES: Command = Command {
    names: &["images", "image ls", "image list"],
    usage: "[OPTIONS] [REPOSITORY[:TAG]]",
    help: "List images",
    wants: Wants::AtMost(1),
    flags: &[
        switch("all", Some('a'), "Show all images (default hides intermediate images)"),
        switch("digests", None, "Show digests"),
        values("filter", Some('f'), "Filter output based on conditions provided: dangling, label, reference"),
        value("format", None, "Format output using a custom template: table, json, or a Go template"),
        switch("no-trunc", None, "Don't truncate output"),
        switch("quiet", Some('q'), "Only show image IDs"),
    ],
    ends_at_argument: false,
    run: |call| Box::pin(images(call)),
};

/// When an image was made.
pub(crate) fn created(stored: &StoredImage) -> Time {
    let file = stored.image.file();
    file["created"].as_str().and_then(Time::parse_rfc3339).unwrap_or_default()
}

fn fits(call: &Call, stored: &StoredImage, repository: &str, tag: &str) -> Result<bool, String> {
    let name = |pattern: &str| {
        let (wanted, wanted_tag) = match pattern.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (pattern, None),
        };
        let wanted = Reference::parse(wanted).map_or_else(|_| wanted.to_owned(), |r| r.familiar_repository());
        let is_fine = |pattern: &str, text: &str| {
            let (pattern, text): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), text.split('/').collect());
            pattern.len() == text.len() && pattern.iter().zip(text).all(|(p, t)| crate::build::part_fits(p, t))
        };
        is_fine(&wanted, repository) && wanted_tag.is_none_or(|wanted| is_fine(wanted, tag))
    };
    if let Some(pattern) = call.parsed.args.first()
        && !name(pattern)
    {
        return Ok(false);
    }
    for filter in call.parsed.all("filter") {
        let (key, wanted) =
            filter.split_once('=').ok_or("invalid argument \"\" for \"-f, --filter\" flag: invalid filter")?;
        let is_in = match key {
            "dangling" => stored.tags.is_empty() == (wanted == "true"),
            "reference" => name(wanted),
            "label" => {
                let (label, value) = wanted.split_once('=').map_or((wanted, None), |(l, v)| (l, Some(v)));
                stored.image.config.labels.get(label).is_some_and(|is| value.is_none_or(|wanted| is == wanted))
            }
            _ => return Err(format!("Error response from daemon: invalid filter '{key}'")),
        };
        if !is_in {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn images(call: Call) -> Outcome {
    let mut entries = call.daemon.images().entries();
    entries.sort_by(|a, b| created(b).cmp(&created(a)).then_with(|| a.tags.cmp(&b.tags)));
    let now = call.daemon.sim().now();
    let full = call.parsed.is_on("no-trunc");
    let mut rows: Vec<Row> = Vec::new();
    for stored in &entries {
        let names: Vec<(String, String)> = match &stored.tags[..] {
            [] => vec![(repository_of(stored), "<none>".to_owned())],
            tags => tags.iter().filter_map(|t| t.rsplit_once(':')).map(|(r, t)| (r.to_owned(), t.to_owned())).collect(),
        };
        for (repository, tag) in names {
            if !fits(&call, stored, &repository, &tag)? {
                continue;
            }
            let id = if full { stored.image.id.clone() } else { text::short(&stored.image.id) };
            let own = format!("{repository}@");
            let digest = stored.digests.iter().find_map(|digest| digest.strip_prefix(&own));
            let at = created(stored);
            rows.push(vec![
                ("Repository", repository),
                ("Tag", tag),
                ("Digest", digest.unwrap_or("<none>").to_owned()),
                ("ID", id),
                ("CreatedSince", text::ago(at, now)),
                ("CreatedAt", at.rfc3339().replace('T', " ").replace('Z', " +0000 UTC")),
                ("Size", text::size(stored.image.size_bytes, 3)),
                ("Containers", "N/A".to_owned()),
                ("SharedSize", "N/A".to_owned()),
                ("UniqueSize", "N/A".to_owned()),
            ]);
        }
    }
    let heads: &[(&str, &str)] = &[("Repository", "REPOSITORY"), ("Tag", "TAG")];
    let digest: &[(&str, &str)] = if call.parsed.is_on("digests") { &[("Digest", "DIGEST")] } else { &[] };
    let rest: &[(&str, &str)] = &[("ID", "IMAGE ID"), ("CreatedSince", "CREATED"), ("Size", "SIZE")];
    let columns: Vec<_> = heads.iter().chain(digest).chain(rest).copied().collect();
    let format = if call.parsed.is_on("quiet") { Some("{{.ID}}") } else { call.parsed.get("format") };
    let _ = call.ctx.out(list(&rows, &columns, format)?).await;
    Ok(0)
}

/// The repository of an image that has no tag.
fn repository_of(stored: &StoredImage) -> String {
    stored.digests.first().and_then(|d| d.split('@').next()).unwrap_or("<none>").to_owned()
}

pub(crate) static RMI: Command = Command {
    names: &["rmi", "image rm", "image remove"],
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    help: "Remove one or more images",
    wants: Wants::AtLeast(1),
    flags: &[
        switch("force", Some('f'), "Force removal of the image"),
        switch("no-prune", None, "Accepted; there are no parents"),
    ],
    ends_at_argument: false,
    run: |call| Box::pin(rmi(call)),
};

async fn rmi(call: Call) -> Outcome {
    let force = call.parsed.is_on("force");
    let mut errors: Vec<String> = Vec::new();
    for name in &call.parsed.args {
        match remove(&call.daemon, name, force) {
            Ok(lines) => {
                for line in lines {
                    call.line(line).await;
                }
            }
            Err(why) if force && why.contains("No such image") => {
                call.ctx.err(format!("{why}\n")).await;
            }
            Err(why) => errors.push(why),
        }
    }
    if errors.is_empty() { Ok(0) } else { Err(errors.join("\n").into()) }
}

fn remove(daemon: &Daemon, name: &str, force: bool) -> Result<Vec<String>, String> {
    let stored = daemon.image(name)?;
    let image = &stored.image;
    let by_name = daemon.images().image(name).is_some();
    let conflict = |how: &str, why: String| {
        let what = if by_name {
            format!("remove repository reference \"{name}\"")
        } else {
            format!("delete {}", text::short(&image.id))
        };
        Err(format!("Error response from daemon: conflict: unable to {what} ({how}) - {why}"))
    };
    let is_last = stored.tags.len() <= 1;
    if !by_name && stored.tags.len() > 1 && !force {
        return conflict("must be forced", "image is referenced in multiple repositories".to_owned());
    }
    let user = daemon.user_of(&image.id).filter(|_| is_last || !by_name);
    let is_running = user.as_ref().is_some_and(|(_, runs)| *runs);
    if let Some((id, runs)) = user.filter(|(_, runs)| !force || (*runs && !by_name)) {
        let (short, own) = (text::short(&id), text::short(&image.id));
        return match (by_name, runs) {
            (true, _) => conflict("must force", format!("container {short} is using its referenced image {own}")),
            (_, true) => conflict("cannot be forced", format!("image is being used by running container {short}")),
            _ => conflict("must be forced", format!("image is being used by stopped container {short}")),
        };
    }
    let removed = match Reference::parse(name).ok().filter(|r| by_name && r.digest.is_none()) {
        // What runs keeps its image.
        Some(reference) if is_running => daemon.images().untag_only(&reference),
        Some(reference) => daemon.images().untag(&reference),
        None => daemon.images().delete(&image.id),
    };
    let removed = removed.unwrap_or_default();
    let mut lines: Vec<String> = removed.untagged.iter().map(|name| format!("Untagged: {name}")).collect();
    if let Some(id) = removed.deleted {
        lines.push(format!("Deleted: {id}"));
        // Layers that no other image has go with it, the topmost first.
        let kept = daemon.images().entries();
        let ids: Vec<&str> = image.layers.iter().map(runtime::image::ImageLayer::diff_id).collect();
        let is_kept = |at: usize| {
            kept.iter().any(|k| {
                k.image.layers.iter().zip(&image.layers).take(at + 1).filter(|(a, b)| a.digest == b.digest).count()
                    == at + 1
            })
        };
        lines.extend((0..ids.len()).rev().take_while(|at| !is_kept(*at)).map(|at| format!("Deleted: {}", ids[at])));
    }
    Ok(lines)
}

pub(crate) static TAG: Command = Command {
    names: &["tag", "image tag"],
    usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    help: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    wants: Wants::Exactly(2),
    flags: &[],
    ends_at_argument: false,
    run: |call| {
        Box::pin(async move {
            let wrong = |why: String| {
                format!("Error parsing reference: \"{}\" is not a valid repository/tag: {why}", call.parsed.args[1])
            };
            let target = Daemon::reference(&call.parsed.args[1]).map_err(wrong)?;
            if target.digest.is_some() {
                return Err("refusing to create a tag with a digest reference".into());
            }
            let image = call.daemon.image(&call.parsed.args[0])?;
            call.daemon.images().tag(&target, &image.image.id);
            Ok(0)
        })
    },
};

pub(crate) static PRUNE: Command = Command {
    names: &["image prune"],
    usage: "[OPTIONS]",
    help: "Remove unused images",
    wants: Wants::Exactly(0),
    flags: &[
        switch("all", Some('a'), "Remove all unused images, not just dangling ones"),
        switch("force", Some('f'), "Do not prompt for confirmation"),
    ],
    ends_at_argument: false,
    run: |call| {
        Box::pin(async move {
            let all = call.parsed.is_on("all");
            let mut bytes = 0;
            let mut lines = Vec::new();
            for stored in call.daemon.images().entries() {
                let id = &stored.image.id;
                if (all || stored.tags.is_empty()) && call.daemon.user_of(id).is_none() {
                    let removed = call.daemon.images().delete(id).unwrap_or_default();
                    lines.extend(removed.untagged.iter().map(|name| format!("untagged: {name}")));
                    lines.push(format!("deleted: {id}"));
                    bytes += stored.image.size_bytes;
                }
            }
            if !lines.is_empty() {
                call.line(format!("Deleted Images:\n{}\n", lines.join("\n"))).await;
            }
            call.line(format!("Total reclaimed space: {}", text::size(bytes, 4))).await;
            Ok(0)
        })
    },
};

pub(crate) static HISTORY: Command = Command {
    names: &["history", "image history"],
    usage: "[OPTIONS] IMAGE",
    help: "Show the history of an image",
    wants: Wants::Exactly(1),
    flags: &[
        value("format", None, "Format output using a custom template: table, json, or a Go template"),
        switch("no-trunc", None, "Don't truncate output"),
        switch("quiet", Some('q'), "Only show image IDs"),
    ],
    ends_at_argument: false,
    run: |call| Box::pin(history(call)),
};

async fn history(call: Call) -> Outcome {
    let stored = call.daemon.image(&call.parsed.args[0])?;
    let file = stored.image.file();
    let now = call.daemon.sim().now();
    let full = call.parsed.is_on("no-trunc");
    let mut layers = stored.image.layers.iter();
    let mut rows: Vec<Row> = Vec::new();
    for entry in file["history"].as_array().into_iter().flatten() {
        let text_of = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        let is_empty = entry["empty_layer"] == Value::Bool(true);
        let size = if is_empty { 0 } else { layers.next().and_then(size_of).unwrap_or(0) };
        let at = Time::parse_rfc3339(&text_of("created")).unwrap_or_default();
        let by = text_of("created_by").replace('\t', " ");
        rows.push(vec![
            ("ID", "<missing>".to_owned()),
            ("CreatedSince", text::ago(at, now)),
            ("CreatedAt", at.rfc3339()),
            ("CreatedBy", if full { by } else { text::ellipsis(&by, 45) }),
            ("Size", text::size(size, 3)),
            ("Comment", text_of("comment")),
        ]);
    }
    rows.reverse();
    if let Some(("ID", id)) = rows.first_mut().and_then(|row| row.first_mut()) {
        *id = if full { stored.image.id.clone() } else { text::short(&stored.image.id) };
    }
    let columns = [
        ("ID", "IMAGE"),
        ("CreatedSince", "CREATED"),
        ("CreatedBy", "CREATED BY"),
        ("Size", "SIZE"),
        ("Comment", "COMMENT"),
    ];
    let format = if call.parsed.is_on("quiet") { Some("{{.ID}}") } else { call.parsed.get("format") };
    let _ = call.ctx.out(list(&rows, &columns, format)?).await;
    Ok(0)
}

fn size_of(layer: &runtime::image::ImageLayer) -> Option<u64> {
    vfs::Layer::from_tar(layer.tar.clone()).ok().map(|layer| layer.size())
}
