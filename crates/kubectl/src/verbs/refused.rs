//! Commands that are known but not built: they refuse by name.

use crate::flags::{Action, COMMAND, Command};

macro_rules! refused {
    ($($id:ident $name:literal $aliases:tt $short:literal $path:literal;)*) => {
        $(
            #[doc = $short]
            pub static $id: Command = Command {
                name: $name,
                aliases: &$aliases,
                short: $short,
                long: $short,
                action: Action::Refuse(simulation::stub!("kubectl", $path)),
                ..COMMAND
            };
        )*
    };
}

refused! {
    SET_SUBJECT "subject" [] "Update the user, group, or service account in a role binding or cluster role binding" "set subject";
}
