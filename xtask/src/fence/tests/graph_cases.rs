//! Changes to what the packages are and what they reach.

use super::Case;

pub(super) const CASES: &[Case] = &[
    Case { change: "nothing", rules: &[], apply: |_| {} },
    Case {
        change: "a sixth member",
        rules: &["members"],
        apply: |tiny| {
            tiny.replace("Cargo.toml", "\"xtask\"]", "\"xtask\", \"sixth\"]");
            tiny.add_package("sixth", "sixth");
        },
    },
    Case {
        change: "a member inside a member",
        rules: &["members"],
        apply: |tiny| {
            tiny.append("felhom-agent/Cargo.toml", "[dev-dependencies.inner]\npath = \"inner\"");
            tiny.add_package("felhom-agent/inner", "inner");
        },
    },
    Case {
        change: "a fenced crate under another name",
        rules: &["members"],
        apply: |tiny| {
            tiny.replace("proxmox-privileged/Cargo.toml", "\"proxmox-privileged\"", "\"privileged\"");
        },
    },
    Case {
        change: "a fenced crate that is gone",
        rules: &["members", "lints", "bans", "no-std"],
        apply: |tiny| {
            tiny.replace("Cargo.toml", "\"proxmox-privileged\", ", "");
            for file in ["Cargo.toml", "clippy.toml", "src/lib.rs"] {
                tiny.remove(&format!("proxmox-privileged/{file}"));
            }
        },
    },
    Case {
        change: "code beside the members",
        rules: &["members"],
        apply: |tiny| tiny.write("tools/generate.rs", "fn main() {}"),
    },
    Case {
        change: "a dependency that is not on the list",
        rules: &["closure"],
        apply: |tiny| {
            tiny.append("proxmox-privileged/Cargo.toml", "[dependencies.harmless]\nversion = \"1\"");
        },
    },
    Case {
        change: "a dependency of the crate below that is not on the list",
        rules: &["closure"],
        apply: |tiny| tiny.append("proxmox-types/Cargo.toml", "[dependencies.harmless]\nversion = \"1\""),
    },
    Case {
        change: "a build dependency",
        rules: &["closure"],
        apply: |tiny| {
            tiny.append("proxmox-privileged/Cargo.toml", "[build-dependencies.harmless]\nversion = \"1\"");
        },
    },
    Case {
        change: "a dependency on another platform",
        rules: &["closure"],
        apply: |tiny| {
            let dependency = "[target.'cfg(windows)'.dependencies.harmless]\nversion = \"1\"";
            tiny.append("proxmox-privileged/Cargo.toml", dependency);
        },
    },
    Case {
        change: "an optional dependency that no feature turns on",
        rules: &["closure"],
        apply: |tiny| {
            let dependency = "[dependencies.harmless]\nversion = \"1\"\noptional = true";
            tiny.append("proxmox-privileged/Cargo.toml", dependency);
        },
    },
    Case {
        change: "an optional dependency that cargo resolved away",
        rules: &["closure"],
        apply: |tiny| {
            let dependency = "[dependencies.harmless]\nversion = \"1\"\noptional = true";
            tiny.append("proxmox-privileged/Cargo.toml", dependency);
            tiny.edit(|metadata| {
                for node in metadata["resolve"]["nodes"].as_array_mut().expect("nodes") {
                    node["deps"].as_array_mut().expect("deps").retain(|edge| edge["name"] != "harmless");
                }
            });
        },
    },
    Case {
        change: "a development dependency that is the agent's",
        rules: &["cargo-deny"],
        apply: |tiny| {
            tiny.append("proxmox-privileged/Cargo.toml", "[dev-dependencies.tokio]\nversion = \"1\"");
        },
    },
    Case {
        change: "hyper in the crate that acts as root",
        rules: &["closure", "never", "cargo-deny"],
        apply: |tiny| tiny.append("proxmox-privileged/Cargo.toml", "[dependencies.hyper]\nversion = \"1\""),
    },
    Case {
        change: "hyper under another name, for one platform, when asked for",
        rules: &["closure", "never", "cargo-deny"],
        apply: |tiny| {
            let dependency = "[target.'cfg(unix)'.dependencies.plain]\npackage = \"hyper\"\nversion = \"1\"\noptional = true";
            tiny.append("proxmox-api/Cargo.toml", dependency);
        },
    },
    Case {
        change: "hyper three levels down",
        rules: &["closure", "never", "cargo-deny"],
        apply: |tiny| tiny.append("proxmox-api/Cargo.toml", "[dependencies.middle]\nversion = \"1\""),
    },
    Case {
        change: "tokio in the client, and on its list",
        rules: &["never", "cargo-deny"],
        apply: |tiny| {
            tiny.replace("proxmox-api/Cargo.toml", "serde = \"1\"", "serde = \"1\"\ntokio = \"1\"");
            tiny.append("xtask/fence/proxmox-api.list", "tokio = only for its timers");
        },
    },
    Case {
        change: "the client in the crate that acts as root",
        rules: &["closure", "never"],
        apply: |tiny| {
            tiny.append(
                "proxmox-privileged/Cargo.toml",
                "[dependencies.proxmox-api]\npath = \"../proxmox-api\"",
            );
        },
    },
    Case {
        change: "a line that nothing needs",
        rules: &["closure"],
        apply: |tiny| tiny.append("xtask/fence/proxmox-api.list", "harmless = was needed once"),
    },
    Case {
        change: "a line without a reason",
        rules: &["closure"],
        apply: |tiny| tiny.replace("xtask/fence/proxmox-api.list", "serde = reads", "serde = "),
    },
    Case {
        change: "a line twice",
        rules: &["closure"],
        apply: |tiny| tiny.append("xtask/fence/proxmox-api.list", "serde = reads"),
    },
    Case {
        change: "no list",
        rules: &["closure"],
        apply: |tiny| tiny.remove("xtask/fence/proxmox-api.list"),
    },
    Case {
        change: "tokio in the developer verbs",
        rules: &["cargo-deny"],
        apply: |tiny| tiny.append("xtask/Cargo.toml", "[dependencies.hyper-util]\nversion = \"1\""),
    },
    Case {
        change: "a second crypto provider, in a test",
        rules: &["cargo-deny"],
        apply: |tiny| tiny.append("xtask/Cargo.toml", "[dev-dependencies.aws-lc-rs]\nversion = \"1\""),
    },
    Case {
        change: "the simulated node in the shipped agent",
        rules: &["sim-off"],
        apply: |tiny| {
            let plain = "proxmox-api = { path = \"../proxmox-api\" }";
            let simulated = "proxmox-api = { path = \"../proxmox-api\", features = [\"sim\"] }";
            tiny.replace("felhom-agent/Cargo.toml", plain, simulated);
        },
    },
    Case {
        change: "the simulated node by default",
        rules: &["sim-off"],
        apply: |tiny| {
            tiny.replace("proxmox-api/Cargo.toml", "sim = []", "sim = []\ndefault = [\"sim\"]");
        },
    },
    Case {
        change: "the simulated node through a feature of the agent",
        rules: &["sim-off"],
        apply: |tiny| tiny.append("felhom-agent/Cargo.toml", "[features]\ndemo = [\"proxmox-api/sim\"]"),
    },
    Case {
        change: "a package from a folder outside",
        rules: &["members"],
        apply: |tiny| {
            tiny.append("xtask/Cargo.toml", "[dependencies.outside]\npath = \"../../outside\"");
            tiny.add_package("../outside", "outside");
        },
    },
    Case {
        change: "a package of crates.io replaced by a folder",
        rules: &["members", "settings"],
        apply: |tiny| {
            tiny.append("Cargo.toml", "[patch.crates-io]\nserde = { path = \"../outside\" }");
            tiny.add_package("../outside", "serde");
        },
    },
    Case {
        change: "a package from git",
        rules: &["cargo-deny"],
        apply: |tiny| {
            tiny.edit(|metadata| set_source(metadata, "git+https://example.org/tokio?branch=main#0123"));
        },
    },
    Case {
        change: "a package from another registry",
        rules: &["cargo-deny"],
        apply: |tiny| tiny.edit(|metadata| set_source(metadata, "registry+https://example.org/index")),
    },
    Case {
        change: "a build script",
        rules: &["targets"],
        apply: |tiny| tiny.write("proxmox-api/build.rs", "fn main() {}"),
    },
    Case {
        change: "a build script of another name, and a linked library",
        rules: &["targets"],
        apply: |tiny| {
            tiny.replace(
                "proxmox-api/Cargo.toml",
                "[lints]",
                "links = \"z\"\nbuild = \"prepare.rs\"\n\n[lints]",
            );
            tiny.write("proxmox-api/prepare.rs", "fn main() {}");
        },
    },
    Case {
        change: "a macro crate",
        rules: &["targets"],
        apply: |tiny| tiny.append("proxmox-types/Cargo.toml", "[lib]\nproc-macro = true"),
    },
    Case {
        change: "a C library",
        rules: &["targets"],
        apply: |tiny| tiny.append("proxmox-types/Cargo.toml", "[lib]\ncrate-type = [\"lib\", \"cdylib\"]"),
    },
    Case {
        change: "a binary",
        rules: &["targets"],
        apply: |tiny| tiny.write("proxmox-privileged/src/bin/root.rs", "fn main() {}"),
    },
    Case {
        change: "a library file of another name",
        rules: &["targets"],
        apply: |tiny| {
            tiny.append("proxmox-privileged/Cargo.toml", "[lib]\npath = \"elsewhere.rs\"");
            tiny.write("proxmox-privileged/elsewhere.rs", "");
        },
    },
];

/// Says that tokio came from elsewhere.
fn set_source(metadata: &mut serde_json::Value, source: &str) {
    let packages = metadata["packages"].as_array_mut().expect("packages").iter_mut();
    packages
        .filter(|package| package["name"] == "tokio")
        .for_each(|package| package["source"] = source.into());
}
