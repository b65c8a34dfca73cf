//! Changes to what the files say.

use serde_json::{Value, json};

use super::Case;

const TYPES: &str = "proxmox-types/src/lib.rs";
const API: &str = "proxmox-api/src/lib.rs";
const SIM: &str = "proxmox-api/src/sim.rs";
const WORLD: &str = "proxmox-api/src/sim/world.rs";
const CONNECT: &str = "felhom-agent/src/connect.rs";
const WAIT: &str = "felhom-agent/src/wait.rs";
const EXPECT: &str = "#![expect(clippy::disallowed_types, reason = \"connects\")]\n";

pub(super) const CASES: &[Case] = &[
    Case {
        change: "words in comments, strings and documentation",
        rules: &[],
        apply: |tiny| {
            tiny.append(
                TYPES,
                "/// `extern crate std`, `include!`\n// unsafe\nconst TEXT: &str = \"asm! unsafe\";",
            );
        },
    },
    Case {
        change: "a member without the workspace's lints",
        rules: &["lints"],
        apply: |tiny| tiny.replace("proxmox-types/Cargo.toml", "[lints]\nworkspace = true", ""),
    },
    Case {
        change: "a member with lints of its own",
        rules: &["lints"],
        apply: |tiny| tiny.replace("xtask/Cargo.toml", "workspace = true", "rust.unsafe_code = \"allow\""),
    },
    Case {
        change: "unsafe code that is warned about only",
        rules: &["lints"],
        apply: |tiny| tiny.replace("Cargo.toml", "unsafe_code = \"forbid\"", "unsafe_code = \"warn\""),
    },
    Case {
        change: "a lint that the workspace no longer sets",
        rules: &["lints"],
        apply: |tiny| tiny.replace("Cargo.toml", "indexing_slicing = \"warn\"", ""),
    },
    Case {
        change: "a ban that the workspace turns off",
        rules: &["lints"],
        apply: |tiny| tiny.append("Cargo.toml", "disallowed_types = { level = \"allow\", priority = 1 }"),
    },
    Case {
        change: "an inner attribute that turns a lint off",
        rules: &["lints"],
        apply: |tiny| tiny.append("felhom-agent/src/other.rs", "#![allow(clippy::disallowed_types)]"),
    },
    Case {
        change: "a conditional attribute that turns a lint off",
        rules: &["lints"],
        apply: |tiny| tiny.append("xtask/src/lib.rs", "#[cfg_attr(all(), allow(dead_code))]\nfn main() {}"),
    },
    Case {
        change: "a ban that is gone",
        rules: &["bans"],
        apply: |tiny| {
            let ban = "{ path = \"std::process::Command\", reason = \"starts processes\" },";
            tiny.replace("proxmox-api/clippy.toml", ban, "");
        },
    },
    Case { change: "no bans at all", rules: &["bans"], apply: |tiny| tiny.remove("proxmox-api/clippy.toml") },
    Case {
        change: "a file that clippy reads first",
        rules: &["settings"],
        apply: |tiny| tiny.write("proxmox-api/.clippy.toml", ""),
    },
    Case {
        change: "bans that may be taken back",
        rules: &["bans"],
        apply: |tiny| tiny.replace(API, "#![forbid(", "#![deny("),
    },
    Case {
        change: "bans of the agent that are only warnings",
        rules: &["bans"],
        apply: |tiny| tiny.replace("felhom-agent/src/lib.rs", "#![deny(", "#![warn("),
    },
    Case {
        change: "a file of the agent that takes a ban back and is not listed",
        rules: &["bans"],
        apply: |tiny| tiny.write("felhom-agent/src/other.rs", EXPECT),
    },
    Case {
        change: "a file of the agent that takes a whole group of lints back",
        rules: &["bans"],
        apply: |tiny| {
            tiny.write("felhom-agent/src/other.rs", "#[expect(clippy::style, reason = \"\")]\nfn f() {}");
        },
    },
    Case {
        change: "a second exception in a listed file",
        rules: &["bans"],
        apply: |tiny| {
            tiny.append(CONNECT, "#[expect(clippy::disallowed_types, reason = \"again\")]\nfn f() {}");
        },
    },
    Case {
        change: "a listed file that needs no exception",
        rules: &["bans"],
        apply: |tiny| tiny.replace(CONNECT, EXPECT, ""),
    },
    Case {
        change: "a listed file that is gone",
        rules: &["bans", "doors"],
        apply: |tiny| tiny.remove(CONNECT),
    },
    Case {
        change: "a crate with std",
        rules: &["no-std"],
        apply: |tiny| tiny.replace(TYPES, "#![no_std]\n", ""),
    },
    Case {
        change: "a crate with std unless something is set",
        rules: &["no-std"],
        apply: |tiny| tiny.replace(TYPES, "#![no_std]", "#![cfg_attr(not(open), no_std)]"),
    },
    Case {
        change: "std at the root under a feature",
        rules: &["no-std"],
        apply: |tiny| tiny.replace(API, "#[cfg(test)]", "#[cfg(any(test, feature = \"sim\"))]"),
    },
    Case {
        change: "std under another name",
        rules: &["no-std"],
        apply: |tiny| tiny.append(TYPES, "extern crate r#std as tools;"),
    },
    Case {
        change: "std in a module of its own",
        rules: &["no-std"],
        apply: |tiny| tiny.write("proxmox-types/src/deep/down.rs", "#[cfg(test)]\nextern crate std;"),
    },
    Case {
        change: "std put together by a macro",
        rules: &["no-std"],
        apply: |tiny| {
            tiny.append(TYPES, "macro_rules! link { ($word:ident) => { extern $word std; } }\nlink!(crate);");
        },
    },
    Case {
        change: "std handed on by the simulated node",
        rules: &["no-std"],
        apply: |tiny| tiny.replace(SIM, "extern crate", "pub(crate) extern crate"),
    },
    Case {
        change: "the simulated node without its feature",
        rules: &["no-std"],
        apply: |tiny| tiny.replace(API, "#[cfg(feature = \"sim\")]", "#[cfg(not(test))]"),
    },
    Case {
        change: "a function of C",
        rules: &["no-std", "words"],
        apply: |tiny| tiny.append(TYPES, "unsafe extern \"C\" { fn fork() -> i32; }"),
    },
    Case {
        change: "source from elsewhere",
        rules: &["words"],
        apply: |tiny| tiny.append(TYPES, "include!(\"../../elsewhere.rs\");"),
    },
    Case {
        change: "source from elsewhere under another name",
        rules: &["words"],
        apply: |tiny| tiny.append(TYPES, "use core::include as take;\ntake!(\"../../elsewhere.rs\");"),
    },
    Case {
        change: "a module from elsewhere",
        rules: &["words"],
        apply: |tiny| tiny.append(TYPES, "#[path = \"../../elsewhere.rs\"]\nmod elsewhere;"),
    },
    Case {
        change: "a module from elsewhere, when asked for",
        rules: &["words"],
        apply: |tiny| tiny.append(TYPES, "#[cfg_attr(open, path = \"../../elsewhere.rs\")]\nmod elsewhere;"),
    },
    Case {
        change: "assembly in a macro",
        rules: &["words"],
        apply: |tiny| tiny.append(TYPES, "macro_rules! call { () => { core::arch::asm!(\"syscall\") } }"),
    },
    Case {
        change: "what a dependency hides",
        rules: &["words"],
        apply: |tiny| tiny.append(TYPES, "use serde::__private::std;"),
    },
    Case {
        change: "a process in the simulated node",
        rules: &["words"],
        apply: |tiny| tiny.append(WORLD, "use super::std::process::Command;"),
    },
    Case {
        change: "a socket in the simulated node, with a raw name",
        rules: &["words"],
        apply: |tiny| tiny.append(SIM, "use r#std::net::TcpStream;"),
    },
    Case {
        change: "all of std in the simulated node",
        rules: &["words"],
        apply: |tiny| tiny.append(WORLD, "use super::std as everything;"),
    },
    Case {
        change: "a door in the build script",
        rules: &["doors"],
        apply: |tiny| tiny.write("felhom-agent/build.rs", "use std::net::TcpStream;\nfn main() {}"),
    },
    Case {
        change: "a dependency of the agent that nobody has listed",
        rules: &["doors"],
        apply: |tiny| {
            tiny.append("felhom-agent/Cargo.toml", "[build-dependencies.harmless]\nversion = \"1\"");
            tiny.append(WAIT, "use harmless::Door;");
        },
    },
    Case {
        change: "a path on the list that nothing needs",
        rules: &["doors"],
        apply: |tiny| tiny.append("xtask/fence/felhom-agent.paths.list", "std::process = starts"),
    },
    Case {
        change: "no list of paths",
        rules: &["doors"],
        apply: |tiny| tiny.remove("xtask/fence/felhom-agent.paths.list"),
    },
    Case {
        change: "a feature that is not on the list",
        rules: &["features"],
        apply: |tiny| tiny.edit(turn_on_net),
    },
    Case {
        change: "a feature on the list that nothing turns on",
        rules: &["features"],
        apply: |tiny| tiny.append("xtask/fence/features.list", "tokio/process = starts"),
    },
    Case {
        change: "source from elsewhere in the agent",
        rules: &["words"],
        apply: |tiny| tiny.append(WAIT, "#[path = \"../tests/door.rs\"]\nmod door;"),
    },
    Case {
        change: "attributes that a macro hands on",
        rules: &[],
        apply: |tiny| {
            tiny.append(TYPES, "macro_rules! m { ($(#[$a:meta])* $n:ident) => { $(#[$a])* struct $n; } }");
        },
    },
    Case {
        change: "the alias says something else",
        rules: &["settings"],
        apply: |tiny| tiny.replace(".cargo/config.toml", "run --quiet", "version"),
    },
];

/// As if somebody had asked for sockets.
fn turn_on_net(metadata: &mut Value) {
    let nodes = metadata["resolve"]["nodes"].as_array_mut().expect("cargo resolved it");
    let tokio = nodes.iter_mut().find(|node| node["id"].as_str().is_some_and(|id| id.contains("#tokio@")));
    tokio.expect("the agent depends on it")["features"] = json!(["net"]);
}
