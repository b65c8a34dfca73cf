//! Lines that are added to a file, which is made where it is not there, with the rule that each must fire.

/// What is changed, the rule, and the lines.
pub(super) type Line = (&'static str, &'static str, &'static str);

/// Lines by the file that they are added to.
pub(super) const CASES: &[(&str, &[Line])] = &[
    ("felhom-agent/src/wait.rs", AGENT),
    ("proxmox-types/src/lib.rs", FENCED),
    (".cargo/config.toml", CARGO),
    ("Cargo.toml", MANIFEST),
    (".cargo/config", &[("a second configuration of cargo", "settings", "")]),
    ("proxmox-api/.cargo/config.toml", &[("a configuration of cargo in a member", "settings", "")]),
    ("rust-toolchain", &[("a compiler chosen by name", "settings", "nightly")]),
    ("xtask/rust-toolchain.toml", &[("a compiler chosen in a member", "settings", "")]),
    ("proxmox-types/src/clippy.toml", &[("bans below a member", "settings", "")]),
    (".hidden/tool.rs", &[("code in a hidden folder", "members", "")]),
];

const AGENT: &[Line] = &[
    ("a socket of tokio", "doors", "use tokio::net::TcpSocket;"),
    ("a look-up", "doors", "async fn f() { tokio::net::lookup_host(\"a:1\").await; }"),
    ("a listener in a group", "doors", "use tokio::{time, net::{self, TcpListener}};"),
    ("everything of a crate", "doors", "use tokio::*;"),
    ("a crate under another name", "doors", "use tokio as other;\nuse other::net::TcpStream;"),
    (
        "a crate put together by a macro",
        "doors",
        "macro_rules! m { ($a:ident) => { use $a::net; } }\nm!(tokio);",
    ),
    (
        "a path put together by a macro",
        "doors",
        "macro_rules! m { ($a:ident) => { use tokio::$a; } }\nm!(net);",
    ),
    ("a datagram of std", "doors", "fn f() { std::net::UdpSocket::bind(\"127.0.0.1:0\"); }"),
    ("a socket with a file name", "doors", "use std::os::unix::net::UnixDatagram;"),
    ("a process with a raw name", "doors", "use r#std::r#process::Command;"),
    ("a module above a door", "doors", "use std::os::unix;"),
    ("source from elsewhere in the agent", "words", "#[path = \"../tests/door.rs\"]\nmod door;"),
];

const FENCED: &[Line] = &[
    (
        "an attribute made by a macro",
        "words",
        "macro_rules! m { ($p:ident) => { #[$p = \"x.rs\"] mod x; } }\nm!(path);",
    ),
    (
        "an attribute made of tokens",
        "words",
        "macro_rules! m { ($($t:tt)*) => { #[$($t)*] mod x; } }\nm!(path = \"x.rs\");",
    ),
    (
        "an attribute that is none where it is written",
        "words",
        "macro_rules! m { ($a:meta) => { #[$a] mod x; } }",
    ),
    ("an inner attribute made by a macro", "words", "macro_rules! m { ($a:meta) => { mod x { #![$a] } } }"),
    (
        "an attribute in an attribute",
        "words",
        "macro_rules! m { ($a:meta) => { #[cfg_attr(all(), $a)] mod x; } }",
    ),
];

const CARGO: &[Line] = &[
    ("flags for the compiler", "settings", "[build]\nrustflags = [\"--cap-lints\", \"allow\"]"),
    (
        "flags for one target",
        "settings",
        "[target.x86_64-unknown-linux-gnu]\nrustflags = [\"--extern\", \"std\"]",
    ),
    ("a linker", "settings", "[target.'cfg(all())']\nlinker = \"ld\""),
    ("a runner", "settings", "[target.'cfg(all())']\nrunner = \"other\""),
    ("a variable", "settings", "[env]\nCLIPPY_CONF_DIR = \"elsewhere\""),
    ("a flag of a profile", "settings", "[profile.dev]\npanic = \"abort\""),
    ("another alias", "settings", "ci = \"version\""),
];

const MANIFEST: &[Line] = &[("packages put in the place of others", "settings", "[patch.crates-io]")];
