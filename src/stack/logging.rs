//! What Lambda writes into a function's log, beside what the function writes itself.

use super::word::words;

/// How lines of Lambda's own are written, and those of runtimes that ask for it. Only JSON has levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Logging {
    #[default]
    Text,
    Json {
        level: LogLevel,
        system_level: SystemLogLevel,
    },
}

words! {
    /// The format of Lambda's own lines.
    LogFormat {
        Text = "text",
        Json = "json",
    }
}

words! {
    /// The least important of the function's own lines that Lambda keeps.
    #[derive(Default)]
    LogLevel {
        Trace = "trace",
        Debug = "debug",
        #[default]
        Info = "info",
        Warn = "warn",
        Error = "error",
        Fatal = "fatal",
    }
}

words! {
    /// The least important of Lambda's lines that it writes.
    #[derive(Default)]
    SystemLogLevel {
        Debug = "debug",
        #[default]
        Info = "info",
        Warn = "warn",
    }
}

impl Logging {
    pub fn format(self) -> LogFormat {
        match self {
            Logging::Text => LogFormat::Text,
            Logging::Json { .. } => LogFormat::Json,
        }
    }

    pub fn level(self) -> Option<LogLevel> {
        match self {
            Logging::Text => None,
            Logging::Json { level, .. } => Some(level),
        }
    }

    pub fn system_level(self) -> Option<SystemLogLevel> {
        match self {
            Logging::Text => None,
            Logging::Json { system_level, .. } => Some(system_level),
        }
    }
}
