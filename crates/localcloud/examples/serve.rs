//! Serves a data directory on any free port and prints the address: for tests, and for trying things out.

use std::io::Write;

use localcloud::Options;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the address is this program's answer")]
async fn main() -> anyhow::Result<()> {
    let data = std::env::args().nth(1).ok_or_else(|| anyhow::anyhow!("usage: serve DATA [ADAPTER]"))?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let credentials = localcloud::credentials(data.as_ref())?;
    println!("http://{}", listener.local_addr()?);
    println!("{} {}", credentials.access_key_id, credentials.secret_access_key);
    std::io::stdout().flush()?;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let options = Options { adapters: std::env::args().skip(2).map(Into::into).collect(), ..Options::new(data) };
    localcloud::serve(listener, options, async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
    .await
}
