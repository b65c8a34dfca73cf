//! Root exception 1: create the golden container.
//!
//! **Why not the API.** The golden image needs `features: nesting=1,keyctl=1`. PVE lets a token set `nesting` on an
//! unprivileged container, but `keyctl` only the user `root@pam` itself, whatever the privileges of the token (403
//! `changing feature flags (except nesting) is only allowed for root@pam`). Once it exists, backups of it keep the
//! feature and restoring them is an API call again.
//!
//! **What runs.** `pct create VMID TEMPLATE --unprivileged 1 --features nesting=1,keyctl=1 --rootfs STORAGE:GIB
//! --cores N --memory MIB --hostname NAME --net0 name=eth0,bridge=BRIDGE,ip=dhcp`, in this order.
//!
//! **What success is.** Exit status 0, and nothing else: `pct` prints the worker's output on stdout and the error on
//! stderr, and exits with 0 or 255. It also succeeds with a bridge that does not exist, so look that up before.
//!
//! Source: pve-container `PVE/CLI/pct.pm` and `API2/LXC.pm`; recordings in `fixtures/pct`.

use alloc::string::{String, ToString};
use core::fmt;

use proxmox_types::{Bridge, StorageId, Vmid, vmid};
use serde::{Deserialize, Serialize};
use snafu::Snafu;

use crate::command::argument::{Cores, Hostname, MemoryMib, RootfsGib, TemplateVolume};
use crate::command::shape::Part::Text;
use crate::command::shape::{Shape, slot};
use crate::command::{Privilege, Program};
use crate::{CommandOutput, RunError, Runner};

/// What the golden container shall be. All of it is required; the features are not a choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenSpec {
    /// Number of the container; must be free on the whole cluster.
    #[serde(deserialize_with = "vmid::written")]
    pub vmid: Vmid,
    /// The template to unpack.
    pub template: TemplateVolume,
    /// Storage for the root filesystem.
    pub storage: StorageId,
    /// Size of the root filesystem.
    pub rootfs: RootfsGib,
    /// Number of cores.
    pub cores: Cores,
    /// Memory limit.
    pub memory: MemoryMib,
    /// Name of the container.
    pub hostname: Hostname,
    /// Bridge that `eth0` joins, with its address by DHCP. `pct` does not check that it exists.
    pub bridge: Bridge,
}

impl Program {
    /// PVE's container tool.
    pub const PCT: Self = Self::new("/usr/sbin/pct", "pve-container");
}

/// `pct create`. PVE's defaults apply to what is not named here (swap, DNS, architecture).
pub(crate) static CREATE: Shape<GoldenSpec> = Shape {
    program: Program::PCT,
    privilege: Privilege::Root,
    changes: true,
    seconds: 600,
    purpose: "create the golden container: unprivileged, with the two features that the API refuses to tokens",
    words: &[
        &[Text("create")],
        &[slot::<Vmid, _>(|spec| &spec.vmid)],
        &[slot::<TemplateVolume, _>(|spec| &spec.template)],
        &[Text("--unprivileged")],
        &[Text("1")],
        &[Text("--features")],
        &[Text("nesting=1,keyctl=1")],
        &[Text("--rootfs")],
        &[slot::<StorageId, _>(|spec| &spec.storage), Text(":"), slot::<RootfsGib, _>(|spec| &spec.rootfs)],
        &[Text("--cores")],
        &[slot::<Cores, _>(|spec| &spec.cores)],
        &[Text("--memory")],
        &[slot::<MemoryMib, _>(|spec| &spec.memory)],
        &[Text("--hostname")],
        &[slot::<Hostname, _>(|spec| &spec.hostname)],
        &[Text("--net0")],
        &[Text("name=eth0,bridge="), slot::<Bridge, _>(|spec| &spec.bridge), Text(",ip=dhcp")],
    ],
};

/// The golden container was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GoldenCreated {
    /// Its number.
    pub vmid: Vmid,
    /// What `pct` had to say on stderr all the same, such as `Task finished with 1 warning(s)!`.
    pub warning: Option<String>,
}

/// Why the golden container was not created, or is not known to be.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[non_exhaustive]
pub enum GoldenError {
    /// `pct` said no.
    #[snafu(display("pct create {vmid} failed: {text}{}", Also(leftover.as_ref())))]
    Failed {
        /// Number of the container.
        vmid: Vmid,
        /// What it failed on.
        reason: GoldenReason,
        /// The error text of `pct`.
        text: String,
        /// The container, if it may be there all the same.
        leftover: Option<GoldenLeftover>,
    },
    /// The command could not be run, or did not come to its end.
    #[snafu(display("pct create {vmid} did not run to its end{}", Also(leftover.as_ref())))]
    NotRun {
        /// Number of the container.
        vmid: Vmid,
        /// What happened.
        source: RunError,
        /// The container, if it may be there all the same.
        leftover: Option<GoldenLeftover>,
    },
}

impl GoldenError {
    /// The container, if it may be there although it was not created in full.
    pub const fn leftover(&self) -> Option<&GoldenLeftover> {
        match self {
            Self::Failed { leftover, .. } | Self::NotRun { leftover, .. } => leftover.as_ref(),
        }
    }
}

/// What `pct create` failed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum GoldenReason {
    /// The number belongs to another guest.
    VmidTaken,
    /// There is no such storage.
    NoStorage,
    /// There is no such template.
    NoTemplate,
    /// PVE does not accept one of the values.
    BadParameter,
    /// The caller is not root.
    NotRoot,
    /// A signal ended it.
    Killed,
    /// Something else; the text says what.
    Other,
}

/// A container that may exist although its creation failed. Prints the commands that show and remove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GoldenLeftover {
    /// Its number.
    pub vmid: Vmid,
}

impl fmt::Display for GoldenLeftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vmid = self.vmid;
        write!(
            f,
            "container {vmid} may be there in part: `pct config {vmid}` shows it, `pct destroy {vmid}` removes it"
        )
    }
}

struct Also<'a>(Option<&'a GoldenLeftover>);

impl fmt::Display for Also<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |leftover| write!(f, "; {leftover}"))
    }
}

/// Creates the golden container.
///
/// Never repeated here: after an error look at the container first ([`GoldenError::leftover`]).
///
/// ```
/// # mod now { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/now.rs")); }
/// # use now::now;
/// # use proxmox_privileged::{Command, CommandOutput, golden::{GoldenSpec, create_golden_lxc}};
/// let spec = GoldenSpec {
///     vmid: "210".parse()?,
///     template: "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst".parse()?,
///     storage: "local-zfs".parse()?,
///     rootfs: "4".parse()?,
///     cores: "1".parse()?,
///     memory: "512".parse()?,
///     hostname: "golden".parse()?,
///     bridge: "vmbr0".parse()?,
/// };
/// let runner = |_: &Command| Ok(CommandOutput::from("extracting archive\n"));
/// assert_eq!(now(create_golden_lxc(&runner, &spec))?.vmid, spec.vmid);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn create_golden_lxc(runner: &dyn Runner, spec: &GoldenSpec) -> Result<GoldenCreated, GoldenError> {
    let vmid = spec.vmid;
    let output = runner.run(&CREATE.command(spec)).await.map_err(|source| {
        let leftover = source.may_have_happened().then_some(GoldenLeftover { vmid });
        GoldenError::NotRun { vmid, source, leftover }
    })?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.is_success() {
        let warning = Some(stderr.trim()).filter(|text| !text.is_empty()).map(ToString::to_string);
        return Ok(GoldenCreated { vmid, warning });
    }
    let reason = reason(&output, &stderr);
    let text = error_line(&stderr).map_or_else(|| output.end.to_string(), ToString::to_string);
    let leftover = may_be_there(&output, reason).then_some(GoldenLeftover { vmid });
    Err(GoldenError::Failed { vmid, reason, text, leftover })
}

/// The last line of stderr that says what is wrong: not blank, not the usage line, not the heading of a 400.
fn error_line(stderr: &str) -> Option<&str> {
    let says = |line: &&str| !line.is_empty() && !line.starts_with("pct create <vmid>") && !is_heading(line);
    stderr.lines().map(str::trim).rfind(says)
}

/// Whether the line only says that the parameters are wrong.
fn is_heading(line: &str) -> bool {
    line.starts_with("400 ")
}

/// Texts of `pct` and what they mean. Recordings: `create-golden-*`, `list-not-root`.
const REASONS: [(&[&str], GoldenReason); 6] = [
    (&["already exists on node"], GoldenReason::VmidTaken),
    (&["storage '", "' does not exist"], GoldenReason::NoStorage),
    (&["volume '", "' does not exist"], GoldenReason::NoTemplate),
    (&["unable to parse volume ID"], GoldenReason::BadParameter),
    (&["unable to parse directory volume name"], GoldenReason::BadParameter),
    (&["please run as root"], GoldenReason::NotRoot),
];

fn reason(output: &CommandOutput, stderr: &str) -> GoldenReason {
    let line = error_line(stderr).unwrap_or_default();
    let known = REASONS.iter().find(|(texts, _)| texts.iter().all(|text| line.contains(text)));
    match known {
        Some((_, reason)) => *reason,
        None if stderr.lines().any(is_heading) => GoldenReason::BadParameter,
        None if output.end.is_killed() => GoldenReason::Killed,
        None => GoldenReason::Other,
    }
}

/// Whether something may have been left: the worker prints nothing before it begins. A number that was taken before is
/// not ours, whatever was printed.
fn may_be_there(output: &CommandOutput, reason: GoldenReason) -> bool {
    let begun = output.stdout.iter().any(|byte| !byte.is_ascii_whitespace());
    reason != GoldenReason::VmidTaken && (begun || reason == GoldenReason::Killed)
}

#[cfg(test)]
mod tests;
