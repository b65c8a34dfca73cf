//! What the host itself tells, without root and without a process: devices, directories.

pub mod account;
pub mod device;
pub mod fstab;
pub mod health;
pub mod place;
pub mod preview;
pub mod replace;
pub mod usb;
