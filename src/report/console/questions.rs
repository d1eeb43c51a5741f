//! Questions on stderr, and what is typed or piped into stdin.

use super::{Console, locked};
use crate::report::no_echo::NoEcho;
use crate::report::{Line, outlet};
use std::io::{BufRead, IsTerminal, Read};

/// More bytes than any value of a manifest may have.
const LONGEST_VALUE: u64 = 1 << 20;

/// How many bytes a terminal passes on of each line, its end included.
const LONGEST_LINE: usize = 4095;

impl Console {
    /// Whether stdin is a terminal, on which a person types.
    pub fn is_stdin_a_terminal(&self) -> bool {
        std::io::stdin().is_terminal()
    }

    /// Reads stdin to its end, as far as a value of the manifest can be long.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn whole_stdin(&self) -> std::io::Result<Vec<u8>> {
        on_a_thread(|| {
            let mut bytes = Vec::new();
            std::io::stdin().take(LONGEST_VALUE).read_to_end(&mut bytes).map(|_| bytes)
        })
        .await
    }

    /// Asks on stderr for one line that the terminal does not show. Dropping the future leaves the terminal as it was.
    ///
    /// # Errors
    /// When the terminal cannot hide what is typed, or cannot be read.
    pub async fn hidden_answer(&self, question: &str) -> std::io::Result<Vec<u8>> {
        locked(&self.reporter).pause();
        let _hidden = NoEcho::begin()?;
        locked(&self.progress).asking = true;
        outlet::ask_on_stderr(&Line::plain(question));
        // The terminal shows no end of the line, either.
        let _open = OpenLine(true);
        let line = on_a_thread(|| {
            let mut line = Vec::new();
            std::io::stdin().lock().read_until(b'\n', &mut line).map(|_| line)
        });
        let line = line.await;
        locked(&self.progress).asking = false;
        let line = line?;
        // A terminal passes on 4095 bytes of a longer line, and one line of a text that is pasted.
        if !line.is_empty() && !line.ends_with(b"\n") || line.len() >= LONGEST_LINE || has_more() {
            return Err(std::io::Error::other("a terminal passes on one line of less than 4095 bytes"));
        }
        Ok(line)
    }

    /// Asks on stderr. Any answer except "y" and "yes" means no. Dropping the future leaves the question unanswered,
    /// and the cursor on a new line.
    pub async fn ask(&self, lines: &[Line], question: &str) -> bool {
        let said = self.answer(lines, &format!("{question} [y/N]")).await;
        matches!(said.to_lowercase().as_str(), "y" | "yes")
    }

    /// Asks on stderr for one line, without the spaces around it. A closed stdin is an empty answer.
    pub async fn answer(&self, lines: &[Line], question: &str) -> String {
        locked(&self.reporter).pause();
        locked(&self.progress).asking = true;
        lines.iter().for_each(outlet::to_stderr);
        outlet::ask_on_stderr(&Line::plain(question));
        let mut open = OpenLine(true);
        let line = on_a_thread(|| {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).map(|_| line)
        });
        let said = line.await.unwrap_or_default();
        locked(&self.progress).asking = false;
        // If the user answered, the terminal has ended the line.
        open.0 = !said.ends_with('\n');
        said.trim().to_owned()
    }
}

/// Whether more was typed or pasted than was read.
fn has_more() -> bool {
    rustix::io::ioctl_fionread(std::io::stdin()).is_ok_and(|waiting| waiting > 0)
}

/// Reads in a thread that nothing waits for, because a read cannot be cancelled.
async fn on_a_thread<T: Send + 'static>(
    read: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    let (sender, done) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || sender.send(read()));
    done.await.unwrap_or_else(|_| Err(std::io::ErrorKind::UnexpectedEof.into()))
}

/// Ends the line on stderr when it is dropped, unless the line was ended otherwise.
struct OpenLine(bool);

impl Drop for OpenLine {
    fn drop(&mut self) {
        if self.0 {
            outlet::to_stderr(&Line::plain(""));
        }
    }
}
