//! A terminal that does not show what is typed.

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, stdin};

/// Stdin's terminal shows what is typed again when this is dropped.
pub(super) struct NoEcho(Termios);

impl NoEcho {
    /// # Errors
    /// When stdin is not a terminal, or refuses.
    pub(super) fn begin() -> io::Result<NoEcho> {
        let before = tcgetattr(stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin(), OptionalActions::Flush, &hidden)?;
        Ok(NoEcho(before))
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        // What was pasted after the line is a secret, too, which no shell must get.
        let _ = tcsetattr(stdin(), OptionalActions::Flush, &self.0);
    }
}
