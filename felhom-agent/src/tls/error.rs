//! Why the server's identity cannot be checked.

use std::path::PathBuf;

use proxmox_types::Fingerprint;
use snafu::Snafu;

use crate::config::FileError;

/// Why the server's identity cannot be checked as configured. Never a reason to check less.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(crate)))]
#[non_exhaustive]
pub enum TlsError {
    /// The CA file cannot be read.
    #[snafu(display("CA file {}: {source}", path.display()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FileError,
    },
    /// The CA file has no certificate in it.
    #[snafu(display("CA file {} holds no PEM certificate", path.display()))]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The CA file is a certificate in a form that is not read.
    #[snafu(display("CA file {} is written in {form}, and must be PEM", path.display()))]
    Binary {
        /// The file.
        path: PathBuf,
        /// The form.
        form: &'static str,
    },
    /// The CA file holds something else, such as a key, or a certificate with OpenSSL's own trust settings.
    #[snafu(display("CA file {}: block {number} is no CERTIFICATE but a {label}", path.display()))]
    NotCertificate {
        /// The file.
        path: PathBuf,
        /// Which one, from 1.
        number: usize,
        /// What it says that it is.
        label: String,
    },
    /// The CA file holds something that is not a certificate.
    #[snafu(display("CA file {}: certificate {number} is malformed: {reason}", path.display()))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Which one, from 1.
        number: usize,
        /// Why.
        reason: String,
    },
    /// The CA file holds a certificate that may not sign others.
    #[snafu(display("CA file {}: certificate {number} ({subject}) is not a CA; its fingerprint for `tls.pins` is {fingerprint}", path.display()))]
    NotAuthority {
        /// The file.
        path: PathBuf,
        /// Which one, from 1.
        number: usize,
        /// Its subject.
        subject: String,
        /// Its fingerprint, in case it is the server's own certificate.
        fingerprint: Fingerprint,
    },
    /// rustls refuses the configuration.
    #[snafu(display("TLS cannot be set up: {reason}"))]
    Unusable {
        /// Why.
        reason: String,
    },
}
