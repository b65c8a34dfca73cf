//! What names things: guests, nodes, storages, volumes, tasks, tokens, certificates.

/// Reads and writes types in JSON as the text that `FromStr` reads and `Display` writes.
macro_rules! as_text {
    ($($name:ident),+) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::text::parsed(deserializer)
            }
        }
    )+};
}

/// Defines one name: a text that was checked once against its grammar and cannot be anything else.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(alloc::boxed::Box<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::Malformed;

            fn from_str(text: &str) -> Result<Self, $crate::Malformed> {
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(text) { Ok(Self(text.into())) } else { Err($crate::Malformed::new($what, text, $rule)) }
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Debug::fmt(&self.0, f)
            }
        }

        as_text!($name);
    };
}

pub(crate) use as_text;

mod archive;
mod digest;
mod name;
mod secret;
mod tags;
mod token;
mod upid;
pub mod vmid;
mod volume;

pub use archive::{BackupVolume, TemplateVolume};
pub use digest::{Digest, Fingerprint};
pub use name::{Bridge, Hostname, NodeName, PoolId, SnapshotName, StorageId};
pub use secret::Secret;
pub use tags::Tags;
pub use token::{ApiToken, TokenError, TokenId};
pub use upid::Upid;
pub use vmid::Vmid;
pub use volume::{DiskSize, VolumeId, VolumeKey};
