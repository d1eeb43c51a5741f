//! Asking a deployed URL what the manifest's check says.

use crate::apply::{Event, Verified};
use crate::commands::run::Run;
use crate::commands::site::Job;
use crate::failure::{Failure, Kind};
use crate::manifest::Check;
use crate::stack::Auth;
use crate::verify::{Target, verify};
use std::time::Duration;

/// How long a URL may answer 403: AWS takes a while to believe in a new permission.
const FORBIDDEN_FOR: Duration = Duration::from_secs(30);

/// Asks the URL what the manifest's check says.
pub(super) async fn run_check(run: &Run, job: &Job<'_>, url: &str, check: &Check) -> Result<Verified, Failure> {
    let function = job.function.name.clone();
    run.console.tell(&Event::Verifying { function: function.clone() });
    let signs = job.function.url.as_ref().is_some_and(|url| url.auth == Auth::AwsIam);
    let signer = match signs {
        true => Some(job.place.signer().await.map_err(|error| Failure::new(Kind::Verify, error))?),
        false => None,
    };
    type Headers = Vec<(String, String)>;
    let sign =
        |method: &http::Method, url: &str, headers: &[(String, String)], body: &[u8]| -> Result<Headers, String> {
            signer.as_ref().map_or_else(|| Ok(Vec::new()), |signer| signer.headers(method, url, headers, body))
        };
    let target = Target {
        url,
        check,
        sign: if signs { Some(&sign) } else { None },
        forbidden_for: FORBIDDEN_FOR,
        timeout: Duration::from_secs(u64::from(job.function.timeout)) + Duration::from_secs(5),
    };
    let waiting = |elapsed: Duration| {
        let for_what = "the url to accept its permissions".to_owned();
        run.console.tell(&Event::Waiting { function: function.clone(), for_what, elapsed });
    };
    let seen = run.until_stopped(verify(&target, &waiting)).await?;
    let seen = seen.map_err(|fault| Failure::not_verified(&function, url, &fault))?;
    let verified = Verified {
        status: seen.status,
        first_byte: seen.first_byte,
        chunks: seen.chunks,
        duration: seen.duration,
        streamed: seen.streamed,
    };
    run.console.tell(&Event::Verified { function: function.clone(), verified: verified.clone() });
    Ok(verified)
}

/// Headers whose values are nobody's secret.
const HARMLESS: [&str; 2] = ["accept", "content-type"];

/// A line for the shell that does what the check did, but for values that may be secrets: an `…` stands for each.
pub(super) fn curl(url: &str, check: &Check) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let mut words = vec!["curl -N".to_owned()];
    if check.method != "GET" {
        words.push(format!("-X {}", check.method));
    }
    words.extend(check.headers.iter().map(|(name, value)| {
        let harmless = HARMLESS.contains(&name.to_lowercase().as_str());
        format!("-H {}", quoted(&format!("{name}: {}", if harmless { value.reveal() } else { "…" })))
    }));
    words.extend(check.body.iter().map(|_| format!("--data-raw {}", quoted("…"))));
    words.push(quoted(&format!("{}{}", url.trim_end_matches('/'), check.path_and_query())));
    words.join(" ")
}
