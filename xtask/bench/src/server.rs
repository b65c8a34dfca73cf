//! A server on raw rustls and hand-written HTTP/1.1 that answers GETs from memory, with pveproxy's manners where wanted.
//!
//! It is a process of its own, so that its work is nobody else's. On stdout it says where it listens, in one line of
//! JSON; each line on stdin is a question, answered with one line; it ends when stdin does.

mod certificate;
mod handle;
mod head;
pub(crate) mod tasks;
pub(crate) mod world;

use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::server::NoServerSessionStorage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::{Res, measure};
use certificate::Identity;
pub(crate) use handle::Server;
use world::{Answer, NodeWorld};

/// After how long pveproxy closes an idle connection, and after how many requests any.
const IDLE: Duration = Duration::from_secs(5);
const MOST_REQUESTS: u32 = 100;

/// How it behaves.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Manners {
    /// Keeps every connection for ever, whatever pveproxy would do
    #[arg(long)]
    pub(crate) keep: bool,
    /// Milliseconds that a worker is busy with a request
    #[arg(long, default_value_t = 0)]
    pub(crate) service: u64,
    /// Requests that are worked on at the same time
    #[arg(long, default_value_t = 3)]
    pub(crate) workers: usize,
}

/// What was seen on the wire since the last question.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Seen {
    pub(crate) handshakes: u64,
    pub(crate) requests: u64,
    /// Answers that closed their connection.
    pub(crate) closes: u64,
}

#[derive(Default)]
struct Counters {
    handshakes: AtomicU64,
    requests: AtomicU64,
    closes: AtomicU64,
}

struct Node {
    manners: Manners,
    counters: Counters,
    workers: Semaphore,
    world: Mutex<NodeWorld>,
    start: Instant,
    acceptor: TlsAcceptor,
}

/// Serves until stdin ends.
pub(crate) fn run(manners: Manners) -> Res<()> {
    measure::pin(1);
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let identity = Identity::new()?;
    let mut tls = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate], identity.key)?;
    // pveproxy never resumes.
    tls.session_storage = Arc::new(NoServerSessionStorage {});
    tls.send_tls13_tickets = 0;
    let world = NodeWorld::new(epoch);
    let token = world.token();
    let node = Arc::new(Node {
        workers: Semaphore::new(manners.workers),
        manners,
        counters: Counters::default(),
        world: Mutex::new(world),
        start: Instant::now(),
        acceptor: TlsAcceptor::from(Arc::new(tls)),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        println!("{}", json!({ "port": port, "token": token, "authority": identity.authority }));
        let answering = node.clone();
        let ended = tokio::task::spawn_blocking(move || answering.answer_questions());
        tokio::select! {
            ended = ended => Ok(ended??),
            () = node.serve(listener) => Ok(()),
        }
    })
}

impl Node {
    fn world(&self) -> std::sync::MutexGuard<'_, NodeWorld> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `seen` counts; `targets` lists what was asked for; `tasks COUNT MILLISECONDS` starts tasks and gives their UPIDs.
    fn answer_questions(&self) -> std::io::Result<()> {
        for line in std::io::stdin().lock().lines() {
            let line = line?;
            let words: Vec<&str> = line.split(' ').collect();
            let number = |at: usize| words.get(at).and_then(|word| word.parse().ok()).unwrap_or(0);
            let answer = match words.first() {
                Some(&"seen") => self.seen(),
                Some(&"targets") => json!(std::mem::take(&mut self.world().targets)),
                Some(&"tasks") => {
                    let lasts = Duration::from_millis(number(2));
                    let mut world = self.world();
                    json!(
                        (0..number(1))
                            .map(|_| world.tasks.start(self.start.elapsed(), lasts))
                            .collect::<Vec<_>>()
                    )
                }
                _ => Value::Null,
            };
            writeln!(std::io::stdout(), "{answer}")?;
        }
        Ok(())
    }

    fn seen(&self) -> Value {
        let take = |counter: &AtomicU64| counter.swap(0, Relaxed);
        let counters = &self.counters;
        json!(Seen {
            handshakes: take(&counters.handshakes),
            requests: take(&counters.requests),
            closes: take(&counters.closes),
        })
    }

    async fn serve(self: Arc<Self>, listener: TcpListener) {
        while let Ok((tcp, _)) = listener.accept().await {
            let node = self.clone();
            // A client that goes away is no error of the server.
            tokio::spawn(async move { drop(node.connection(tcp).await) });
        }
    }

    async fn connection(&self, tcp: TcpStream) -> Res<()> {
        tcp.set_nodelay(true)?;
        let mut stream = self.acceptor.accept(tcp).await?;
        self.counters.handshakes.fetch_add(1, Relaxed);
        let (mut buffer, mut served) = (Vec::with_capacity(16 << 10), 0);
        while let Some(target) = self.request(&mut stream, &mut buffer).await? {
            served += 1;
            self.counters.requests.fetch_add(1, Relaxed);
            if self.manners.service > 0 {
                let _worker = self.workers.acquire().await?;
                tokio::time::sleep(Duration::from_millis(self.manners.service)).await;
            }
            let answer = self.world().answer(&target, self.start.elapsed());
            let closes =
                !self.manners.keep && (answer.closes || answer.status >= 400 || served >= MOST_REQUESTS);
            write(&mut stream, &answer, closes).await?;
            if closes {
                self.counters.closes.fetch_add(1, Relaxed);
                // As pveproxy does: without a farewell of TLS.
                stream.get_mut().0.shutdown().await?;
                break;
            }
        }
        Ok(())
    }

    /// The target of the next request, or nothing if the connection ends before it.
    async fn request(&self, stream: &mut TlsStream<TcpStream>, buffer: &mut Vec<u8>) -> Res<Option<String>> {
        loop {
            if let Some((target, length)) = head::read(buffer)? {
                buffer.drain(..length);
                return Ok(Some(target));
            }
            let reading = stream.read_buf(buffer);
            let read = if self.manners.keep {
                reading.await?
            } else {
                match tokio::time::timeout(IDLE, reading).await {
                    Ok(read) => read?,
                    Err(_idle) => 0,
                }
            };
            if read == 0 {
                return Ok(None);
            }
        }
    }
}

async fn write(stream: &mut TlsStream<TcpStream>, answer: &Answer, closes: bool) -> Res<()> {
    let mut out = head::write(answer, closes).into_bytes();
    if answer.body.len() <= 64 << 10 {
        out.extend_from_slice(&answer.body);
        stream.write_all(&out).await?;
    } else {
        stream.write_all(&out).await?;
        stream.write_all(&answer.body).await?;
    }
    Ok(stream.flush().await?)
}
