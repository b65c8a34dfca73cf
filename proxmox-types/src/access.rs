//! The shapes of access control.

mod permissions;
mod role;
mod token_info;

pub use permissions::Permissions;
pub use role::Role;
pub use token_info::TokenInfo;
