//! Every parser against every recording with bytes flipped, cut, doubled and inserted, and against huge input.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

use crate::golden::{GoldenSpec, create_golden_lxc};
use crate::mount::alias::Aliases;
use crate::mount::filesystem::{Filesystem, FsType, Survey, probe};
use crate::mount::findmnt::{complaints, mount_state};
use crate::mount::fstab::{self, FstabEntry};
use crate::script::{exited, now};
use crate::sensors::sensors;
use crate::smart::smart;
use crate::{Command, CommandOutput};

/// Feeds the bytes to every parser, on both outputs. What they answer does not matter here.
fn feed(bytes: &[u8], status: i32) {
    let output = CommandOutput { stdout: bytes.into(), stderr: bytes.into(), ..exited(status, "", "") };
    let runner = |_: &Command| Ok(output.clone());
    let spec: GoldenSpec = serde_json::from_value(serde_json::json!({
        "vmid": 210, "template": "local:vztmpl/x.tar.gz", "storage": "local", "rootfs": 1, "cores": 1,
        "memory": 256, "hostname": "golden", "bridge": "vmbr0",
    }))
    .unwrap();
    let target = "/mnt/felhom/usb".parse().unwrap();
    let entry = FstabEntry { uuid: "ABCD-1234".parse().unwrap(), target, kind: FsType::Vfat };
    let aliases = Aliases::new(&entry.uuid, &Survey::default(), |_, _| false);
    drop(now(create_golden_lxc(&runner, &spec)));
    drop(now(smart(&runner, &"/dev/sda".parse().unwrap())));
    drop(now(sensors(&runner)));
    drop(now(mount_state(&runner, &entry.target)));
    drop(now(probe(&runner, &"/dev/sda".parse().unwrap())));
    drop(Filesystem::from_udev("/dev/sda", &String::from_utf8_lossy(bytes)));
    drop(now(complaints(&runner, bytes)));
    let boot = fstab::at_boot(bytes, &entry.target, &aliases);
    drop((fstab::put(bytes, &entry, &aliases), fstab::remove(bytes, &entry.target), boot));
}

/// The bytes of every recording.
fn recordings(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { recordings(&path) } else { vec![std::fs::read(path).unwrap()] })
        .collect()
}

/// One change of a byte string.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Double(Index, Index),
    Remove(Index, Index),
}

impl Mutation {
    fn apply(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let place = |index: &Index| index.index(bytes.len() + 1);
        let range = |one: &Index, other: &Index| place(one).min(place(other))..place(one).max(place(other));
        match self {
            Self::Flip(at, bits) => {
                let place = place(at);
                bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= bits);
            }
            Self::Cut(at) => bytes.truncate(place(at)),
            Self::Insert(at, more) => drop(bytes.splice(place(at)..place(at), more.iter().copied())),
            Self::Double(from, to) => {
                let range = range(from, to);
                bytes.splice(range.end..range.end, bytes[range].to_vec()).for_each(drop);
            }
            Self::Remove(from, to) => drop(bytes.drain(range(from, to))),
        }
        bytes
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..8),
        "(\\{|\\[|\"|:|,|\\\\|null|-1|1e999|\\n|  |nan|\u{e9}|=|/){1,6}".prop_map(String::into_bytes),
    ];
    prop_oneof![
        (any::<Index>(), 1_u8..).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
        any::<Index>().prop_map(Mutation::Cut),
        (any::<Index>(), bytes).prop_map(|(at, more)| Mutation::Insert(at, more)),
        any::<(Index, Index)>().prop_map(|(from, to)| Mutation::Double(from, to)),
        any::<(Index, Index)>().prop_map(|(from, to)| Mutation::Remove(from, to)),
    ]
}

#[test]
fn no_mutation_of_a_recording_panics() {
    let recordings = recordings(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"));
    assert!(recordings.len() > 40);
    for recording in recordings {
        let mutations = prop::collection::vec(mutation(), 1..5);
        proptest!(ProptestConfig::with_cases(256), |(mutations in mutations, status in -1..256)| {
            let mutated = mutations.iter().fold(recording.clone(), |bytes, mutation| mutation.apply(bytes));
            feed(&mutated, status);
        });
    }
}

#[test]
fn huge_and_deep_input_ends() {
    const MIB: usize = 1 << 20;
    let repeated = |text: &str, size: usize| text.repeat(size / text.len()).into_bytes();
    for text in ["[", "{\"a\":", "a"] {
        feed(&repeated(text, 10 * MIB), 0);
    }
    for text in ["{\"filesystems\":[", "-", " ", "\n", "a-b-0\n", "\\040", "UUID=", "a=b\n"] {
        feed(&repeated(text, MIB / 4), 0);
    }
    feed(
        &[b"{\"smart_status\":".to_vec(), repeated("[", MIB), repeated("]", MIB), b"}".to_vec()].concat(),
        0,
    );
}
