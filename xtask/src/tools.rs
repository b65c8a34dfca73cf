//! `tools`: puts the prebuilt tools of the CI into `target/tools`, each by its version and checksum.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use snafu::{ResultExt, Whatever, ensure_whatever};

/// The tools, as pip reads them.
const LIST: &str = "xtask/tools.txt";

/// What pip is told besides: nothing is built, and nothing comes in that the list does not name.
const PIP: &str = "-m pip install --quiet --upgrade --require-hashes --no-deps --only-binary=:all: \
                   --root-user-action=ignore";

/// The folder of the programs; asks the network only if the list has changed since the last time.
pub(crate) fn install(root: &Path) -> Result<PathBuf, Whatever> {
    let (list, folder) = (root.join(LIST), root.join("target/tools"));
    let wanted = fs::read_to_string(&list).with_whatever_context(|_| format!("cannot read {LIST}"))?;
    let (programs, mark) = (folder.join("bin"), folder.join("installed.txt"));
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    let mut pip = Command::new("python3");
    pip.args(PIP.split_whitespace()).arg("--target").arg(&folder).arg("--requirement").arg(&list);
    let status = pip.status().whatever_context("cannot start python3, which installs the tools")?;
    ensure_whatever!(
        status.success(),
        "pip did not install the tools of {LIST}; it needs python3-pip and, this once, the network"
    );
    fs::write(&mark, wanted).with_whatever_context(|_| format!("cannot write {}", mark.display()))?;
    Ok(programs)
}
