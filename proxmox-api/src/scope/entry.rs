//! `endpoints!`: one entry per endpoint, from which come its row, its method with the documentation, and the list of rows.
//!
//! ```text
//! impl Snapshot<'a> as self, 'a {
//!     /// Starts rolling the container back.
//!     POST "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback" as ROLLBACK "snapshot.rollback"
//!     fn rollback(self) -> Upid, with RollbackParams { .parameter("felhom", 1) }   // what the call sends by itself
//!     needs ("VM.Snapshot" or "VM.Snapshot.Rollback" on "/vms/{vmid}")             // what PVE's schema declares
//!     .starts(&["vzrollback"], "vmid")                                             // words of `Endpoint`
//!     check("when it applies", ("VM.Audit" on "/vms/{vmid}"), SOURCE).seen("recording")
//!     and &CHECKS_THAT_ENDPOINTS_SHARE;
//! }
//! ```
//!
//! `self` and the lifetime of the calls stand in the head, because a macro cannot name them for its caller.

use crate::endpoint::Endpoint;

/// A part of the API.
pub(super) struct Section {
    /// Every endpoint of it.
    pub(super) endpoints: &'static [&'static Endpoint],
    /// How the call of each operation is made of names and JSON.
    #[cfg(feature = "sim")]
    pub(super) builds: &'static [(&'static str, crate::call::made::Build)],
}

macro_rules! endpoints {
    ($(
        impl $Scope:ident $(<$own:lifetime>)? as $self:ident, $life:lifetime {$(
            $(#[$doc:meta])+
            $method:ident $path:literal as $ROW:ident $operation:literal
            fn $name:ident($($signature:tt)*) -> $answer:ident $(<$item:ty>)? $(, with $Params:ident)? $({ $($sent:tt)* })?
            needs $declared:tt
            $(. $word:ident($($argument:expr),*))*
            $(check($when:literal, $needed:tt, $source:expr) $(. $mark:ident($($recording:literal)?))*)*
            $(and $shared:expr)?;
        )*}
    )*) => {
        $($(
            #[doc = concat!("`", stringify!($method), " ", $path, "`, which is called with `", stringify!($Scope), "::",
                stringify!($name), "`.")]
            pub static $ROW: $crate::endpoint::Endpoint =
                $crate::endpoint::Endpoint::new($operation, $crate::Method::$method, $path, privileges!($declared), returns!($answer))
                    .checks(&[
                        &[$($crate::endpoint::CodeCheck::new($when, privileges!($needed), $source)$(.$mark($($recording)?))*),*],
                        $($shared)?
                    ])
                    $(.$word($($argument),*))*;
        )*)*

        /// This part of the API.
        pub(super) static SECTION: super::entry::Section = super::entry::Section {
            endpoints: &[$($(&$ROW),*),*],
            #[cfg(feature = "sim")]
            builds: &[$($(($operation, |client, given| alloc::boxed::Box::pin(async move {
                within!($Scope: scope of client, given);
                called!(call of scope.$name, given, ($($signature)*) $($Params)?);
                made!(call, given, $answer).await
            }))),*),*],
        };

        $(impl $(<$own>)? $Scope $(<$own>)? {$(
            $(#[$doc])+
            ///
            #[doc = concat!("`", stringify!($method), " ", $path, "`; needs ", words!($declared), ".")]
            $(#[doc = concat!("- ", words!($needed), ": ", $when)])*
            pub fn $name($($signature)*) -> $crate::Call<$life, $answer $(<$item>)? $(, $Params)?> {
                answered!($self.call(&$ROW)$($($sent)*)?, $answer)
            }
        )*})*
    };
}

/// What the type of an answer says about the answer.
macro_rules! returns {
    (Nothing) => {
        $crate::endpoint::Returns::Null
    };
    (Rows) => {
        $crate::endpoint::Returns::List
    };
    (Interfaces) => {
        $crate::endpoint::Returns::List
    };
    (Page) => {
        $crate::endpoint::Returns::Page
    };
    (Upid) => {
        $crate::endpoint::Returns::Upid
    };
    (Started) => {
        $crate::endpoint::Returns::UpidOrNull
    };
    (Vmid) => {
        $crate::endpoint::Returns::Integer
    };
    (String) => {
        $crate::endpoint::Returns::Text
    };
    (VolumeId) => {
        $crate::endpoint::Returns::Text
    };
    ($object:ident) => {
        $crate::endpoint::Returns::Object
    };
}

/// The call that reads this answer, and remembers the task in it.
macro_rules! answered {
    ($call:expr, Nothing) => {
        $call
    };
    ($call:expr, Page) => {
        $call.reading($crate::decode::page)
    };
    ($call:expr, Upid) => {
        $call.reading($crate::decode::data).changing()
    };
    ($call:expr, Started) => {
        $call.reading($crate::decode::data).changing()
    };
    ($call:expr, VolumeId) => {
        $call.reading($crate::decode::data).changing()
    };
    ($call:expr, $read:ident) => {
        $call.reading($crate::decode::data)
    };
}

/// The scope of a call, from the variables of a path.
#[cfg(feature = "sim")]
macro_rules! within {
    (Client: $scope:ident of $client:ident, $given:ident) => {
        let $scope = $client;
    };
    (Cluster: $scope:ident of $client:ident, $given:ident) => {
        let $scope = $client.cluster();
    };
    (Access: $scope:ident of $client:ident, $given:ident) => {
        let $scope = $client.access();
    };
    (Task: $scope:ident of $client:ident, $given:ident) => {
        let upid: proxmox_types::Upid = $given.take("upid")?;
        let $scope = $client.task(&upid);
    };
    (Node: $scope:ident of $client:ident, $given:ident) => {
        let node: proxmox_types::NodeName = $given.take("node")?;
        let $scope = $client.node(&node);
    };
    (Lxc: $scope:ident of $client:ident, $given:ident) => {
        within!(Node: node of $client, $given);
        let $scope = node.lxc($given.take("vmid")?);
    };
    (Snapshot: $scope:ident of $client:ident, $given:ident) => {
        within!(Lxc: lxc of $client, $given);
        let name: proxmox_types::SnapshotName = $given.take("snapname")?;
        let $scope = lxc.snapshot(&name);
    };
    (Storage: $scope:ident of $client:ident, $given:ident) => {
        within!(Node: node of $client, $given);
        let storage: proxmox_types::StorageId = $given.take("storage")?;
        let $scope = node.storage(&storage);
    };
    (Volume: $scope:ident of $client:ident, $given:ident) => {
        within!(Storage: storage of $client, $given);
        let volume: proxmox_types::VolumeId = $given.take("volume")?;
        let $scope = storage.volume(&volume);
    };
}

/// The call of a method, whose arguments have the names of variables or parameters.
#[cfg(feature = "sim")]
macro_rules! called {
    ($call:ident of $scope:ident.$name:ident, $given:ident, ($(&)? self) $Params:ident) => {
        let $call = $scope.$name().with($given.rest::<$Params>()?);
    };
    ($call:ident of $scope:ident.$name:ident, $given:ident, ($(&)? self)) => {
        let $call = $scope.$name();
    };
    ($call:ident of $scope:ident.$name:ident, $given:ident, ($(&)? self, params: &$Params:ty)) => {
        let params: $Params = $given.rest()?;
        let $call = $scope.$name(&params);
    };
    ($call:ident of $scope:ident.$name:ident, $given:ident, ($(&)? self, $argument:ident: Option<&$Type:ty>)) => {
        let $argument: Option<$Type> = $given.take(stringify!($argument))?;
        let $call = $scope.$name($argument.as_ref());
    };
    ($call:ident of $scope:ident.$name:ident, $given:ident, ($(&)? self, $argument:ident: &str)) => {
        let $argument: alloc::string::String = $given.take(stringify!($argument))?;
        let $call = $scope.$name(&$argument);
    };
    ($call:ident of $scope:ident.$name:ident, $given:ident, ($(&)? self, $argument:ident: &$Type:ty)) => {
        let $argument: $Type = $given.parse(stringify!($argument))?;
        let $call = $scope.$name(&$argument);
    };
    ($call:ident of $scope:ident.$name:ident, $given:ident, ($(&)? self, $argument:ident: $Type:ty)) => {
        let $call = $scope.$name($given.take::<$Type>(stringify!($argument))?);
    };
}

/// The call, answered.
#[cfg(feature = "sim")]
macro_rules! made {
    ($call:ident, $given:ident, Nothing) => {
        $call.made_to_change($given)
    };
    ($call:ident, $given:ident, Upid) => {
        $call.made_to_change($given)
    };
    ($call:ident, $given:ident, Started) => {
        $call.made_to_change($given)
    };
    ($call:ident, $given:ident, VolumeId) => {
        $call.made_to_change($given)
    };
    ($call:ident, $given:ident, $read:ident) => {
        $call.made($given)
    };
}

/// Privileges as a value.
macro_rules! privileges {
    ((any token)) => { $crate::endpoint::Privileges::Anyone };
    ((the user)) => { $crate::endpoint::Privileges::OwnUser };
    ((either $($part:tt)+)) => { $crate::endpoint::Privileges::Either(&[$(privileges!($part)),+]) };
    ((both $($part:tt)+)) => { $crate::endpoint::Privileges::Both(&[$(privileges!($part)),+]) };
    (($name:literal on the group of the user)) => { $crate::endpoint::Privileges::UserGroup(&[$name]) };
    (($name:literal on $path:literal with $sent:literal)) => { $crate::endpoint::Privileges::IfSent($sent, $path, &[$name]) };
    (($first:literal $(and $name:literal)* on $path:literal)) => { $crate::endpoint::Privileges::All($path, &[$first $(, $name)*]) };
    (($first:literal $(or $name:literal)+ on $path:literal)) => { $crate::endpoint::Privileges::AnyOf($path, &[$first $(, $name)+]) };
}

/// Privileges in words, for the documentation.
macro_rules! words {
    ((any token)) => { "no privilege by itself" };
    ((the user)) => { "to be the user" };
    ((either $first:tt $($part:tt)+)) => { concat!(words!($first), $(" or ", words!($part)),+) };
    ((both $first:tt $($part:tt)+)) => { concat!(words!($first), $(" and ", words!($part)),+) };
    (($name:literal on the group of the user)) => { concat!("`", $name, "` on the user's group") };
    (($name:literal on $path:literal with $sent:literal)) => {
        concat!("`", $name, "` on `", $path, "` with `", $sent, "`")
    };
    (($first:literal $(and $name:literal)* on $path:literal)) => {
        concat!("`", $first, "`", $(" and `", $name, "`",)* " on `", $path, "`")
    };
    (($first:literal $(or $name:literal)+ on $path:literal)) => {
        concat!("`", $first, "`", $(" or `", $name, "`",)+ " on `", $path, "`")
    };
}
