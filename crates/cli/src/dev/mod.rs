//! `kubonsai dev`: the built page with an author's lessons in it, read again at every change.

mod watch;

use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use clap::Args;

use catalogue::{Selection, published};
use watch::Watch;

/// Reloads the page; see the file.
const RELOAD: &str = include_str!("reload.js");
/// Takes the place of the page's service worker, which would keep old lessons.
const NO_WORKER: &str = include_str!("no_worker.js");
/// Where the page's own script of this command is found.
const RELOAD_TAG: &str = "<script type=\"module\" src=\"/__dev/reload.js\"></script>";

#[derive(Args)]
pub(crate) struct Options {
    /// The folder with index.yaml, or anything in it.
    #[arg(default_value = "tutorials")]
    path: PathBuf,
    /// The built page.
    #[arg(long, default_value = "dist")]
    page: PathBuf,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
}

struct Site {
    page: PathBuf,
    lessons: PathBuf,
    watch: Watch,
}

/// Serves until the process is ended.
pub(crate) fn run(options: &Options) -> anyhow::Result<u8> {
    let lessons = Selection::find(&options.path)?.root;
    anyhow::ensure!(
        options.page.join("index.html").is_file(),
        "{}: no built page there (no index.html). `cargo xtask serve` builds one in dist/; --page names another place",
        options.page.display()
    );
    let site = Arc::new(Site { page: options.page.clone(), watch: Watch::start(&lessons), lessons });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("cannot listen on {}", options.listen))?;
        println!("The page with the lessons of {}: http://{}/", site.lessons.display(), listener.local_addr()?);
        axum::serve(listener, router(site)).await?;
        Ok(0)
    })
}

fn router(site: Arc<Site>) -> Router {
    Router::new().fallback(handle).with_state(site)
}

async fn handle(State(site): State<Arc<Site>>, request: Request) -> Response {
    answer(&site, request.uri().path())
}

fn answer(site: &Site, path: &str) -> Response {
    match path {
        "/__dev/reload.js" => return content("reload.js", RELOAD.into()),
        "/__dev/state" => return content("state.json", site.watch.state().into()),
        "/sw.js" => return content("sw.js", NO_WORKER.into()),
        _ => {}
    }
    let path = path.trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    if let Some(name) = path.strip_prefix("tutorials/") {
        return lesson_file(site, name);
    }
    let Some(bytes) = below(&site.page, path).and_then(|file| std::fs::read(file).ok()) else {
        return (StatusCode::NOT_FOUND, "not found").into_response();
    };
    if path == "index.html" {
        let text = String::from_utf8_lossy(&bytes);
        return content(path, text.replacen("</body>", &format!("{RELOAD_TAG}</body>"), 1).into());
    }
    content(path, bytes.into())
}

/// What the page reads of the author's lessons, as they are now.
fn lesson_file(site: &Site, name: &str) -> Response {
    match published::read(&site.lessons) {
        Ok(mut lessons) => match lessons.files.remove(name) {
            Some(text) => content(name, text.into()),
            None => (StatusCode::NOT_FOUND, "not found").into_response(),
        },
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
    }
}

/// A file below a folder; none for a path that leads out of it.
fn below(root: &Path, path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    path.components().all(|part| matches!(part, Component::Normal(_))).then(|| root.join(path))
}

fn content(name: &str, body: Body) -> Response {
    let kind = match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "md" | "yaml" | "sh" | "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(name: &str) -> (PathBuf, Site) {
        let root = std::env::temp_dir().join(format!("kubonsai-dev-{name}-{}", std::process::id()));
        let (page, lessons) = (root.join("dist"), root.join("tutorials"));
        std::fs::create_dir_all(&page).expect("writable");
        std::fs::create_dir_all(&lessons).expect("writable");
        std::fs::write(page.join("index.html"), "<html><body>page</body></html>").expect("writable");
        std::fs::write(root.join("secret"), "secret").expect("writable");
        std::fs::write(lessons.join("index.yaml"), "courses: []\n").expect("writable");
        let site = Site { page, watch: Watch::start(&lessons), lessons };
        (root, site)
    }

    async fn text(response: Response) -> (StatusCode, String) {
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 1_000_000).await.expect("a body");
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    #[tokio::test]
    async fn serves_the_page_with_the_lessons_of_the_author() {
        let (root, site) = site("serve");
        let (_, page) = text(answer(&site, "/")).await;
        assert!(page.contains("page<script") && page.ends_with("</body></html>"), "{page}");
        let (_, lessons) = text(answer(&site, "/tutorials/catalogue.json")).await;
        assert_eq!(lessons, "{\"courses\":[],\"problems\":[]}");
        assert!(text(answer(&site, "/sw.js")).await.1.contains("unregister"));
        for outside in
            ["/../secret", "/tutorials/../../secret", "/tutorials//etc/passwd", "/tutorials/index.yaml", "/nothing"]
        {
            assert_eq!(text(answer(&site, outside)).await.0, StatusCode::NOT_FOUND, "{outside}");
        }
        std::fs::remove_dir_all(root).expect("its own folder");
    }

    #[tokio::test]
    async fn a_change_is_noticed_and_what_is_wrong_is_said() {
        let (root, site) = site("watch");
        let before = text(answer(&site, "/__dev/state")).await.1;
        assert!(before.contains("\"problems\":[]"), "{before}");
        std::fs::write(site.lessons.join("index.yaml"), "courses: [gone]\n").expect("writable");
        site.watch.look();
        let after = text(answer(&site, "/__dev/state")).await.1;
        assert!(after.contains("gone"), "{after}");
        std::fs::remove_dir_all(root).expect("its own folder");
    }
}
