//! The signs of servers, and of functions that stream.

use crate::init::source::Source;

/// Whether a file starts a server.
pub(super) fn is_server(source: &Source) -> bool {
    let calls = [
        &["axum", ":", ":", "serve"][..],
        &["HttpServer", ":", ":", "new"],
        &["warp", ":", ":", "serve"],
        &["rocket", ":", ":", "build"],
        &["TcpListener", ":", ":", "bind"],
        &["axum_server", ":", ":", "bind"],
        &["Server", ":", ":", "bind"],
        &["Server", ":", ":", "new"],
        // Of Loco.
        &["cli", ":", ":", "main", ":", ":", "<"],
    ];
    calls.iter().any(|call| source.has(source.all(), call))
        || source.has_word(source.all(), &["launch"]) && source.has_word(source.all(), &["rocket"])
        || source.has(source.all(), &[".", "listen", "("]) && source.has_word(source.all(), &["tide"])
}

/// Whether a function of lambda_http or lambda_runtime streams its response.
pub(super) fn is_streaming_function(source: &Source) -> bool {
    source.has_word(source.all(), &["run_with_streaming_response", "StreamResponse", "streaming", "StreamAdapter"])
        || source.has_word(source.all(), &["lambda_runtime"]) && source.has_word(source.all(), &["channel"])
}
