//! Random texts: keys, ids, file names.

use rand::Rng;
use rand::distributions::uniform::SampleUniform;
use std::ops::Range;

/// Letters, and letters with digits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Alphabet {
    Upper,
    Alphanumeric,
}

/// A text of this length that cannot be guessed.
pub(crate) fn text(length: usize, alphabet: Alphabet) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let letters = match alphabet {
        Alphabet::Upper => &LETTERS[..26],
        Alphabet::Alphanumeric => LETTERS,
    };
    let mut rng = rand::thread_rng();
    (0..length).map(|_| char::from(letters[rng.gen_range(0..letters.len())])).collect()
}

/// A number of the range.
pub(crate) fn number<T: SampleUniform + PartialOrd>(range: Range<T>) -> T {
    rand::thread_rng().gen_range(range)
}

/// A UUID.
pub(crate) fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A UUID without its hyphens.
pub(crate) fn token() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
