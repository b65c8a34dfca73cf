//! What the production transport does when the network, or the server, does not do what it should.
//!
//! Every test speaks to `faultd`, a server on loopback that plays scripted faults and keeps what it saw.

#[cfg(test)]
mod agent;
#[cfg(test)]
mod bounding;
#[cfg(test)]
mod certificate;
#[cfg(test)]
mod connecting;
#[cfg(test)]
mod faultd;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod keeping;
#[cfg(test)]
mod queueing;
#[cfg(test)]
mod reading;
