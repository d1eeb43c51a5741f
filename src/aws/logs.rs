//! Reading what a function wrote, by `FilterLogEvents`.

use super::access::Account;
use super::endpoint::is_loopback;
use super::error::Doing;
use super::wait::Pace;
use super::window::Window;
use crate::apply::CloudError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// One event of a function's log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    pub id: String,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// One stream is one instance of the function.
    pub stream: String,
    /// As it was written, its line end included.
    pub message: String,
}

/// What of a page is new.
pub struct LogPage {
    /// By their timestamps, except those that became readable late.
    pub events: Vec<LogEvent>,
    /// Whether there is another page now.
    pub more: bool,
}

/// Reads a function's log group from some time on, page by page and round by round.
pub struct LogReader<'a> {
    account: &'a Account,
    log_group: String,
    window: Window,
    /// When this round began.
    began: i64,
    token: Option<String>,
    pace: Pace,
}

impl<'a> LogReader<'a> {
    pub fn new(account: &'a Account, log_group: String, since: Duration) -> LogReader<'a> {
        let since = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        let near = account.endpoint.as_deref().is_some_and(is_loopback);
        LogReader {
            account,
            log_group,
            window: Window::from(now().saturating_sub(since).max(0)),
            began: 0,
            token: None,
            pace: if near { Pace::near() } else { Pace::far() },
        }
    }

    /// The next page; `None` where there is no such log group. After an error the same page may be asked for again.
    pub async fn page(&mut self) -> Result<Option<LogPage>, CloudError> {
        if self.token.is_none() {
            self.began = now();
        }
        let name = &self.log_group;
        let call = self.account.logs.filter_log_events().log_group_name(name);
        let call = call.start_time(self.window.start()).set_next_token(self.token.clone());
        let Some(page) = call.send().await.if_found(|| format!("read log group `{name}`"))? else { return Ok(None) };
        let mut events = Vec::new();
        for event in page.events() {
            let [id, stream, message] =
                [event.event_id(), event.log_stream_name(), event.message()].map(|text| text.unwrap_or_default());
            let timestamp = event.timestamp().unwrap_or_default();
            if self.window.is_new(timestamp, id.to_owned()) {
                let [id, stream, message] = [id, stream, message].map(str::to_owned);
                events.push(LogEvent { id, timestamp, stream, message });
            }
        }
        // A page may well be empty and have another one behind it.
        self.token = page.next_token().map(str::to_owned);
        if self.token.is_none() {
            self.window.end_round(self.began);
        }
        Ok(Some(LogPage { events, more: self.token.is_some() }))
    }

    /// Waits until it is time to look again: soon if there was `news`, else later and later.
    pub async fn rest(&mut self, news: bool) {
        self.pace.rest(news).await;
    }
}

fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}
