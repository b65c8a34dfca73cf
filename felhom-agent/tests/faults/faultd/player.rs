//! Plays a script on one connection.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;

use super::face::Stream;
use super::{Notes, Step};

/// One connection in plain text.
pub(super) struct Player {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
    notes: Notes,
    gate: Arc<Semaphore>,
}

impl Player {
    pub(super) fn new(stream: Box<dyn Stream>, notes: Notes, gate: Arc<Semaphore>) -> Self {
        Self { stream, unread: Vec::new(), notes, gate }
    }

    /// Plays to the end. An error is that the client has gone.
    pub(super) async fn play(&mut self, script: &[Step]) -> io::Result<()> {
        for step in script {
            self.step(step).await?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> io::Result<()> {
        match step {
            Step::Read => self.read_request().await?,
            Step::Peek => self.read_more().await?,
            Step::Write(bytes) => self.write(bytes).await?,
            Step::Serve(answer, times) => {
                for _ in 0..*times {
                    self.read_request().await?;
                    self.write(answer).await?;
                }
            }
            Step::Drip(bytes, pause) => {
                for byte in bytes {
                    self.write(&[*byte]).await?;
                    tokio::time::sleep(*pause).await;
                }
            }
            Step::Flood(bytes, times) => {
                for _ in 0..*times {
                    self.write(bytes).await?;
                }
            }
            Step::Gate => self.gate.acquire().await.unwrap().forget(),
            Step::Drain => while self.read_more().await.is_ok() {},
            Step::Close => self.stream.shutdown().await?,
            Step::Reset => {}
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        self.notes.note(|seen| seen.sent += bytes.len());
        Ok(())
    }

    async fn read_more(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let read = self.stream.read(&mut buffer).await?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.unread.extend_from_slice(&buffer[..read]);
        self.notes.note(|seen| seen.received.extend_from_slice(&buffer[..read]));
        Ok(())
    }

    /// Reads a head, and as much of a body as it announces.
    async fn read_request(&mut self) -> io::Result<()> {
        loop {
            if let Some(length) = request_length(&self.unread)
                && self.unread.len() >= length
            {
                self.unread.drain(..length);
                self.notes.note(|seen| seen.requests += 1);
                return Ok(());
            }
            self.read_more().await?;
        }
    }
}

/// Length of the request that the bytes begin with; nothing if its head is not complete.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let announced = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    Some(head + announced.map_or(0, |length| length.trim().parse::<usize>().unwrap()))
}
