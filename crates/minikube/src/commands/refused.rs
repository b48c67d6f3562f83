//! Commands that are not built yet: each refuses by name.

use crate::command::Command;
use crate::out::Style;
use crate::program::Call;

async fn refuse(call: Call, refusal: &'static str) -> i32 {
    call.error(Style::Exit, refusal).await;
    1
}

macro_rules! refused {
    ($id:ident, $name:literal, $help:literal, $feature:literal) => {
        pub(crate) static $id: Command = Command {
            name: $name,
            aliases: &[],
            usage: "",
            help: $help,
            flags: &[],
            run: |call| Box::pin(refuse(call, simulation::stub!("minikube", $feature))),
        };
    };
}

refused!(TUNNEL, "tunnel", "Connect to LoadBalancer services", "minikube tunnel");
