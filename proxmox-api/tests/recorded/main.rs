//! Holds the client against what a running 9.2.11 server was asked and answered (`proxmox-types/fixtures`).

#[cfg(test)]
mod canned;
#[cfg(test)]
mod classification;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod recording;
#[cfg(test)]
mod table;
