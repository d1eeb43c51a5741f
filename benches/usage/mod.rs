//! What a program uses: time, processor and memory, those of the processes that it started included.

use std::process::{Command, Output};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Seconds.
    pub time: f64,
    /// Seconds of one processor.
    pub cpu: f64,
    /// The most memory that one of the processes had, in MB.
    pub memory: f64,
}

/// Runs a command to its end. It must go well.
pub(crate) fn run(command: &Command) -> (Output, Usage) {
    let figures = tempfile::NamedTempFile::new().unwrap();
    let mut waiting = Command::new("python3");
    waiting.args(["-c", include_str!("wait.py")]).arg(figures.path());
    waiting.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => waiting.env(name, value),
            None => waiting.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        waiting.current_dir(directory);
    }
    let output = waiting.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(figures.path()).unwrap();
    let figures: Vec<f64> = text.split_whitespace().map(|figure| figure.parse().unwrap()).collect();
    (output, Usage { time: figures[0], cpu: figures[1], memory: figures[2] / 1024.0 })
}
