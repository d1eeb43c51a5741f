//! A port of the user's choice that leads to a function's URL, byte by byte.

use crate::commands::project::Project;
use crate::failure::Failure;
use std::collections::BTreeMap;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(super) struct Relay {
    listener: TcpListener,
    /// The address of the function's URL, such as `127.0.0.1:41234`; `None` as long as it has none.
    target: watch::Sender<Option<String>>,
}

/// Refuses a port for several functions.
///
/// # Errors
/// If there are several.
pub(super) fn refuse_several(project: &Project) -> Result<(), Failure> {
    let known: Vec<String> = project.functions.iter().map(|function| function.name.clone()).collect();
    if known.len() > 1 { Err(Failure::which_function("dev", &known)) } else { Ok(()) }
}

impl Relay {
    /// # Errors
    /// If the port is taken.
    pub(super) async fn listen(port: u16) -> Result<Relay, Failure> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        let listener = listener.map_err(|error| {
            Failure::usage(format!("cannot listen on port {port} of 127.0.0.1: {error}"))
                .hint("name another port with `--port`")
        })?;
        Ok(Relay { listener, target: watch::Sender::new(None) })
    }

    /// From now on, leads to the URL of the project's only function.
    ///
    /// # Errors
    /// If there are several functions.
    pub(super) fn towards(&self, project: &Project, urls: &BTreeMap<String, String>) -> Result<(), Failure> {
        refuse_several(project)?;
        let Some(function) = project.functions.first() else { return Ok(()) };
        let url = urls.get(&function.name).and_then(|url| url::Url::parse(url).ok());
        self.target.send_replace(url.and_then(|url| Some(format!("{}:{}", url.host_str()?, url.port()?))));
        Ok(())
    }

    /// Accepts connections. Never ends; without a relay, there is nothing to do.
    pub(super) async fn serve(relay: Option<&Relay>) -> Result<(), Failure> {
        let Some(relay) = relay else { return std::future::pending().await };
        loop {
            // A connection that ends before it is accepted does not end the others.
            let Ok((mut client, _)) = relay.listener.accept().await else { continue };
            let target = relay.target.borrow().clone();
            tokio::spawn(async move {
                let Some(target) = target else { return };
                let Ok(mut server) = TcpStream::connect(target).await else { return };
                let _ = client.set_nodelay(true);
                let _ = server.set_nodelay(true);
                // Either side may end at any time.
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    }
}
