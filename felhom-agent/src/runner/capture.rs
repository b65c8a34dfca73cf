//! Keeps the beginning of what comes out of a pipe, and lets the rest pass.

use tokio::io::{AsyncRead, AsyncReadExt};

/// How much of an output is kept, in bytes.
const MOST: usize = 1 << 20;
/// How much is read at once, in bytes: what a pipe holds.
const PIECE: usize = 64 << 10;

/// One end of a pipe, until it is closed, and what has come out of it.
pub(super) struct Capture<P> {
    pipe: Option<P>,
    piece: Vec<u8>,
    kept: Vec<u8>,
    is_truncated: bool,
}

impl<P: AsyncRead + Unpin> Capture<P> {
    pub(super) fn of(pipe: Option<P>) -> Self {
        Self { pipe, piece: vec![0; PIECE], kept: Vec::new(), is_truncated: false }
    }

    /// Reads until the pipe is closed. Nothing is lost if that is broken off.
    pub(super) async fn drain(&mut self) {
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut self.piece).await {
                Ok(0) | Err(_) => self.pipe = None,
                Ok(length) => self.keep(length),
            }
        }
    }

    /// What was kept, and whether that is not all.
    pub(super) fn take(&mut self) -> (Vec<u8>, bool) {
        (std::mem::take(&mut self.kept), self.is_truncated)
    }

    fn keep(&mut self, length: usize) {
        let room = MOST.saturating_sub(self.kept.len());
        self.kept.extend(self.piece.iter().take(length.min(room)));
        self.is_truncated |= length > room;
    }
}
