//! Holds the client against what a running 9.2.11 server was asked and answered (`proxmox-types/fixtures`), and
//! against its schema.

#[cfg(test)]
mod built;
#[cfg(test)]
mod leaves;
#[cfg(test)]
mod recording;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod values;
