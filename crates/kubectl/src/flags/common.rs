//! Flags that many commands share, and those that every command takes.

use super::{Flag, array, duration, int, slice, switch, switch_on, text};

/// Flags of every command, as `kubectl options` lists them.
pub static GLOBAL: &[Flag] = &[
    text("as", "", "Act as this user or service account."),
    array("as-group", "Act as a member of this group; may be repeated."),
    text("as-uid", "", "Act with this user id."),
    array("as-user-extra", "Extra fields of the user to act as; may be repeated."),
    text("cache-dir", "/home/learner/.kube/cache", "Where answers of discovery are kept."),
    text("certificate-authority", "", "File with the certificate of the authority to trust."),
    text("client-certificate", "", "File with the client's certificate."),
    text("client-key", "", "File with the client's key."),
    text("cluster", "", "Cluster of the kubeconfig to use."),
    text("context", "", "Context of the kubeconfig to use."),
    switch("disable-compression", "Ask the server not to compress its answers."),
    switch("insecure-skip-tls-verify", "Do not check the server's certificate. This makes the connection insecure."),
    text("kubeconfig", "", "The kubeconfig file to use."),
    text("kuberc", "", "File with preferences."),
    duration("log-flush-frequency", "5s", "Time between flushes of the log."),
    switch("match-server-version", "Refuse to work when client and server have different versions."),
    text("namespace", "", "Namespace to work in.").short('n'),
    text("password", "", "Password for basic authentication."),
    text("profile", "none", "Kind of performance profile to take."),
    text("profile-output", "profile.pprof", "File for the performance profile."),
    text("request-timeout", "0", "How long to wait for one answer, e.g. 1s or 2m; 0 waits for ever."),
    text("server", "", "Address and port of the API server.").short('s'),
    text("tls-server-name", "", "Name that the server's certificate must carry."),
    text("token", "", "Bearer token for authentication."),
    text("user", "", "User of the kubeconfig to use."),
    text("username", "", "User name for basic authentication."),
    int("v", "0", "How much to log.").short('v').bare("0"),
    text("vmodule", "", "Log levels by file."),
    switch("warnings-as-errors", "Fail when the server warns."),
];

/// `-o` with everything that goes with it.
pub static PRINT: &[Flag] = &[
    switch_on("allow-missing-template-keys", "Print nothing, instead of failing, where a template names a missing field."),
    text("output", "", "Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).").short('o'),
    switch("show-managed-fields", "Keep managedFields in JSON and YAML."),
    text("template", "", "The template, or the file that holds it, for -o=go-template and -o=go-template-file."),
];

/// `-f`, `-k`, `-R`.
pub static FILES: &[Flag] = &[
    slice("filename", "File, directory or - (standard input) with the objects.").short('f'),
    text("kustomize", "", "Directory with a kustomization.").short('k'),
    switch("recursive", "Go into the directories below those of -f.").short('R'),
];

/// `-l`.
pub static SELECTOR: &[Flag] =
    &[text("selector", "", "Only objects whose labels match, e.g. -l key1=value1,key2!=value2.").short('l')];

/// `-A`.
pub static ALL_NAMESPACES: &[Flag] = &[switch("all-namespaces", "Objects of all namespaces.").short('A')];

/// `--field-selector`.
pub static FIELD_SELECTOR: &[Flag] =
    &[text("field-selector", "", "Only objects whose fields match, e.g. --field-selector key1=value1.")];

/// `--chunk-size`.
pub static CHUNK_SIZE: &[Flag] =
    &[int("chunk-size", "500", "Ask for long lists in parts of this many; 0 asks for all at once.")];

/// `--dry-run`.
pub static DRY_RUN: &[Flag] = &[text(
    "dry-run",
    "none",
    "Must be \"none\", \"server\" or \"client\": \"client\" prints what would be sent; \"server\" sends it without keeping it.",
)
.bare("unchanged")];

/// `--validate`.
pub static VALIDATE: &[Flag] = &[text(
    "validate",
    "strict",
    "What to do about unknown or doubled fields: \"strict\" (or true) fails, \"warn\" warns, \"ignore\" (or false) drops them.",
)
.bare("strict")];

/// `--save-config`.
pub static SAVE_CONFIG: &[Flag] =
    &[switch("save-config", "Keep the object's configuration in its annotations, for a later kubectl apply.")];

/// `--field-manager`, whose default names the command.
pub const fn field_manager(default: &'static str) -> Flag {
    text("field-manager", default, "Name under which the server records who owns which field.")
}
