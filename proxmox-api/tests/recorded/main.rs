//! Holds the client against what a running 9.2.11 server was asked and answered (`proxmox-types/fixtures`), and
//! against its schema.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod canned;
#[cfg(test)]
mod classification;
#[cfg(test)]
mod emitted;
#[cfg(test)]
mod leaves;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod recording;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod sentences;
#[cfg(test)]
mod table;
