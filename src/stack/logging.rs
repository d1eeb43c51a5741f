//! Which lines Lambda writes to a function's log, and in which format.

use super::field::{Fields, optional};
use super::word::words;

/// The format of Lambda's own lines, and of the lines of runtimes that ask for it. Only JSON has levels.
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
    /// The lowest level of the function's own lines that Lambda keeps.
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
    /// The lowest level of Lambda's own lines that Lambda writes.
    #[derive(Default)]
    SystemLogLevel {
        Debug = "debug",
        #[default]
        Info = "info",
        Warn = "warn",
    }
}

impl Logging {
    pub(super) fn compare(self, to: Logging, fields: &mut Fields) {
        fields.shown("log.format", &self.format(), &to.format());
        fields.shown("log.level", &optional(&self.level()), &optional(&to.level()));
        fields.shown("log.system_level", &optional(&self.system_level()), &optional(&to.system_level()));
    }

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
