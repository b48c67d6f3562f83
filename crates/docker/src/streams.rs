//! The streams of a container and of whoever sits before it.

use std::rc::Rc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::{Either, join, select};
use futures_util::stream::LocalBoxStream;
use machine::{Ctx, Tty, TtySize, Writer};
use runtime::cri::{ExecSession, InputSink};

/// Bytes read from standard input at once.
const READ_BYTES_MAX: usize = 32 * 1024;

/// Gives the terminal back, also when the program is dropped.
struct Raw(Option<Tty>);

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(tty) = &self.0 {
            tty.set_raw(false);
        }
    }
}

/// Carries the streams of a session until its process ends; its exit code. `has_tty`: the process has a terminal.
pub(crate) async fn carry(ctx: &Ctx, session: ExecSession, has_tty: bool) -> i32 {
    let terminal = ctx.tty.clone().filter(|_| has_tty && session.stdin.is_some() && ctx.stdin.is_tty());
    if let Some(tty) = &terminal {
        tty.set_raw(true);
    }
    let guard = Raw(terminal.clone());
    let ExecSession { stdin, stdout, stderr, exit, resize, kill } = session;
    let output = join(pump(stdout, ctx.stdout.clone()), pump(stderr, ctx.stderr.clone()));
    let work = async {
        output.await;
        exit.await
    };
    let input = join(feed(ctx, stdin), follow_size(terminal, resize));
    let code = match select(std::pin::pin!(work), std::pin::pin!(input)).await {
        Either::Left((code, _)) => code,
        Either::Right((_, work)) => work.await,
    };
    drop(guard);
    drop(kill);
    code
}

async fn pump(mut from: LocalBoxStream<'static, Bytes>, to: Writer) {
    while let Some(bytes) = from.next().await {
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn feed(ctx: &Ctx, sink: Option<Box<dyn InputSink>>) {
    let Some(mut sink) = sink else { return };
    loop {
        let bytes = ctx.stdin.read(READ_BYTES_MAX).await;
        if bytes.is_empty() || !sink.write(bytes).await {
            return; // dropping it ends the input
        }
    }
}

async fn follow_size(tty: Option<Tty>, resize: Rc<dyn Fn(u16, u16)>) {
    let Some(tty) = tty else { return };
    let mut size: TtySize = tty.size();
    loop {
        resize(size.cols, size.rows);
        size = tty.resized(size).await;
    }
}
