//! Runs the production runner and the root exceptions on the real things: processes, sudo, mounts, tools, files.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod contained;
#[cfg(test)]
mod drop_in;
#[cfg(test)]
mod given;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod loopdev;
#[cfg(test)]
mod mounts;
#[cfg(test)]
#[path = "../agent/node.rs"]
mod node;
#[cfg(test)]
mod persist;
#[cfg(test)]
mod running;
#[cfg(test)]
mod selftest;
#[cfg(test)]
mod sticks;
#[cfg(test)]
mod sudo;
#[cfg(test)]
mod tools;
#[cfg(test)]
mod usb;
