//! `docker version` and `docker info` (`cli/command/system`).

use json::json;

use super::BUILD;
use crate::VERSION as NUMBER;
use crate::command::{Call, Command, Outcome, Wants, value};
use crate::template;

/// The API's version.
const API: &str = "1.51";
/// The oldest that is understood.
const API_MIN: &str = "1.24";
/// What programs run on.
const PLATFORM: (&str, &str) = ("wasip1", "wasm");

pub(crate) static VERSION: Command = Command {
    names: &["version"],
    usage: "[OPTIONS]",
    help: "Show the Docker version information",
    wants: Wants::Exactly(0),
    flags: &[value("format", Some('f'), "Format output using a custom template: json, or a Go template")],
    ends_at_argument: false,
    run: |call| Box::pin(version(call)),
};

async fn version(call: Call) -> Outcome {
    let (os, arch) = PLATFORM;
    let side = json!({ "Version": NUMBER, "ApiVersion": API, "GitCommit": BUILD, "Os": os, "Arch": arch });
    let both = json!({ "Client": side.clone(), "Server": side });
    match call.parsed.get("format") {
        Some("json") => call.line(both.to_string()).await,
        Some(format) => {
            let text = template::apply(format, &both)?;
            call.line(text).await;
        }
        None => {
            let text = format!(
                "Client: Kubonsai (a simulation of Docker Engine)\n Version:           {NUMBER}\n API version:       {API}\n Git commit:        {BUILD}\n OS/Arch:           {os}/{arch}\n Context:           default\n\nServer: Kubonsai (a simulation of Docker Engine)\n Engine:\n  Version:          {NUMBER}\n  API version:      {API} (minimum version {API_MIN})\n  Git commit:       {BUILD}\n  OS/Arch:          {os}/{arch}\n  Experimental:     false"
            );
            call.line(text).await;
        }
    }
    Ok(0)
}

pub(crate) static INFO: Command = Command {
    names: &["info", "system info"],
    usage: "[OPTIONS]",
    help: "Display system-wide information",
    wants: Wants::Exactly(0),
    flags: &[value("format", Some('f'), "Format output using a custom template: json, or a Go template")],
    ends_at_argument: false,
    run: |call| Box::pin(info(call)),
};

async fn info(call: Call) -> Outcome {
    let all = call.daemon.shown();
    let count = |state: &str| all.iter().filter(|c| c.state() == state).count();
    let (running, total) = (count("running"), all.len());
    let images = call.daemon.images().entries().len();
    let (os, arch) = PLATFORM;
    if let Some(format) = call.parsed.get("format") {
        let data = json!({
            "Containers": total,
            "ContainersRunning": running,
            "ContainersPaused": 0,
            "ContainersStopped": total - running,
            "Images": images,
            "Driver": "overlay2",
            "ServerVersion": NUMBER,
            "OperatingSystem": "Kubonsai (simulated machine)",
            "OSType": os,
            "Architecture": arch,
            "Name": call.daemon.name(),
        });
        let text = if format == "json" { data.to_string() } else { template::apply(format, &data)? };
        call.line(text).await;
        return Ok(0);
    }
    let text = format!(
        "Client: Kubonsai (a simulation of Docker Engine)\n Version:    {NUMBER}\n Context:    default\n Debug Mode: false\n\nServer:\n Containers: {total}\n  Running: {running}\n  Paused: 0\n  Stopped: {}\n Images: {images}\n Server Version: {NUMBER}\n Storage Driver: overlay2\n Logging Driver: json-file\n Runtimes: kubonsai\n Default Runtime: kubonsai\n Operating System: Kubonsai (simulated machine)\n OSType: {os}\n Architecture: {arch}\n Name: {}\n Docker Root Dir: /var/lib/docker\n Debug Mode: false\n Experimental: false",
        total - running,
        call.daemon.name()
    );
    call.line(text).await;
    Ok(0)
}
