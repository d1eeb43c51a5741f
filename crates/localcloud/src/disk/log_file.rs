//! Reads a log file of any size in memory that does not grow with it, and only the parts whose times may match. A line
//! is JSON and begins with its time: `{"t":1700000000000,`.
//!
//! This has to be fast in debug builds, too, so it leaves most bytes to what every profile optimises: the standard
//! library's search for the ends of lines, and the search for words in [`Search::may_match`].

use std::fs::{File, Metadata};
use std::io::{self, BufRead};
use std::os::unix::fs::{FileExt, MetadataExt};

use crate::clock::Millis;

/// How many bytes are read at a time; an index has one entry for each such block.
const BLOCK: usize = 1024 * 1024;
/// No cloud writes longer lines; they are skipped.
const LONGEST: usize = 16 * 1024 * 1024;

/// What every line begins with, before its time.
const BEFORE_TIME: &[u8] = b"{\"t\":";

/// One event as it was written.
pub(crate) struct Line<'a> {
    pub(crate) at: Millis,
    /// Its position in the stream, which never changes.
    pub(crate) number: u64,
    /// In JSON.
    pub(crate) text: &'a [u8],
}

/// A search for events in a stream.
pub(crate) trait Search {
    /// Whether events from one time to another, both included, may match.
    fn wants(&self, first: Millis, last: Millis) -> bool;
    /// Whether one of these lines may match.
    fn may_match(&self, _lines: &[u8]) -> bool {
        true
    }
    /// Takes a line whose time is wanted.
    fn found(&mut self, line: &Line<'_>);
    /// Whether the search is for the last events, so that it should begin at the end.
    fn newest_first(&self) -> bool {
        false
    }
}

/// The times in each block of a file. It is rebuilt if the file is replaced or shortened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    inode: u64,
    blocks: Vec<Block>,
}

/// Neighbouring whole lines.
#[derive(Debug, Clone, Copy)]
struct Block {
    begin: u64,
    length: usize,
    /// The number of its first line.
    number: u64,
    lines: u64,
    first: Millis,
    last: Millis,
}

impl Block {
    fn new(begin: u64, number: u64, text: &[u8]) -> Self {
        let (first, last) = (Millis::MAX, Millis::MIN);
        let mut block = Self { begin, length: text.len(), number, lines: 0, first, last };
        for line in Lines(text) {
            if let Some(at) = time_of(line) {
                block.first = block.first.min(at);
                block.last = block.last.max(at);
            }
            block.lines += 1;
        }
        block
    }

    fn end(&self) -> u64 {
        self.begin + self.length as u64
    }

    fn show(&self, text: &[u8], search: &mut dyn Search) {
        if !search.wants(self.first, self.last) || !search.may_match(text) {
            return;
        }
        for (number, line) in (self.number..).zip(Lines(text)) {
            if let Some(at) = time_of(line)
                && search.wants(at, at)
            {
                search.found(&Line { at, number, text: line });
            }
        }
    }

    fn read_and_show(&self, file: &File, search: &mut dyn Search) -> io::Result<()> {
        if search.wants(self.first, self.last) {
            let mut text = Vec::new();
            read(file, self.begin, self.length, &mut text)?;
            self.show(&text, search);
        }
        Ok(())
    }
}

impl Index {
    /// The first and the last time.
    pub(crate) fn times(&self) -> Option<(Millis, Millis)> {
        let first = self.blocks.iter().map(|block| block.first).min()?;
        let last = self.blocks.iter().map(|block| block.last).max()?;
        (first <= last).then_some((first, last))
    }

    /// Reads the blocks from a position on, and shows them to a search.
    fn extend(&mut self, file: &File, size: u64, from: Option<Block>, search: &mut dyn Search) -> io::Result<()> {
        let (at, mut number) = from.map_or((0, 0), |block| (block.begin, block.number));
        let mut blocks = Blocks { file, at, size, text: Vec::new() };
        while let Some((begin, text)) = blocks.next()? {
            let block = Block::new(begin, number, text);
            block.show(text, search);
            number += block.lines;
            self.blocks.push(block);
        }
        Ok(())
    }
}

/// Shows everything that a search wants of a file. `known` is the index of an earlier scan; returns the index of the
/// whole file.
///
/// # Errors
/// Those of the disk.
pub(crate) fn scan(file: &File, metadata: &Metadata, known: Index, search: &mut dyn Search) -> io::Result<Index> {
    let (inode, size) = (metadata.ino(), metadata.len());
    let covered = known.blocks.last().map_or(0, Block::end);
    let mut index = if known.inode == inode && covered <= size { known } else { Index { inode, blocks: Vec::new() } };
    // The last block may have grown, so it is read again.
    let last = index.blocks.pop();
    if search.newest_first() {
        index.extend(file, size, last, &mut Nothing)?;
        for block in index.blocks.iter().rev() {
            block.read_and_show(file, search)?;
        }
    } else {
        for block in &index.blocks {
            block.read_and_show(file, search)?;
        }
        index.extend(file, size, last, search)?;
    }
    Ok(index)
}

/// A search for nothing, which only builds an index.
struct Nothing;

impl Search for Nothing {
    fn wants(&self, _: Millis, _: Millis) -> bool {
        false
    }

    fn found(&mut self, _: &Line<'_>) {}
}

/// Fills `text` with up to `length` bytes of a file, fewer at its end.
fn read(file: &File, at: u64, length: usize, text: &mut Vec<u8>) -> io::Result<()> {
    text.resize(length, 0);
    let mut filled = 0;
    while filled < length {
        match file.read_at(&mut text[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    text.truncate(filled);
    Ok(())
}

/// The blocks of a file from a position on.
struct Blocks<'a> {
    file: &'a File,
    at: u64,
    size: u64,
    text: Vec<u8>,
}

impl Blocks<'_> {
    /// The next whole lines, and where they begin; `None` when no line with an end is left.
    fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        let mut length = BLOCK;
        loop {
            let left = usize::try_from(self.size - self.at).unwrap_or(usize::MAX);
            read(self.file, self.at, length.min(left), &mut self.text)?;
            if let Some(last) = self.text.iter().rposition(|byte| *byte == b'\n') {
                let begin = self.at;
                self.text.truncate(last + 1);
                self.at += self.text.len() as u64;
                return Ok(Some((begin, &self.text)));
            }
            if self.text.len() < length {
                return Ok(None);
            }
            if length < LONGEST {
                length *= 2;
            } else {
                self.at += length as u64;
                length = BLOCK;
            }
        }
    }
}

/// The lines of a text in which every line has an end.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0;
        // Reading from memory cannot fail.
        let length = self.0.skip_until(b'\n').unwrap_or_default();
        text[..length].strip_suffix(b"\n")
    }
}

/// The time of a line, without parsing the line.
fn time_of(line: &[u8]) -> Option<Millis> {
    let rest = line.strip_prefix(BEFORE_TIME)?;
    let rest = rest.get(..20).unwrap_or(rest);
    let digits = &rest[..rest.iter().position(|byte| *byte == b',')?];
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Between(Millis, Millis, Vec<(Millis, u64)>);

    impl Search for Between {
        fn wants(&self, first: Millis, last: Millis) -> bool {
            first <= self.1 && last >= self.0
        }

        fn found(&mut self, line: &Line<'_>) {
            self.2.push((line.at, line.number));
        }
    }

    fn found(path: &std::path::Path, index: &mut Index, from: Millis, to: Millis) -> Vec<(Millis, u64)> {
        let file = File::open(path).expect("the file");
        let mut search = Between(from, to, Vec::new());
        *index = scan(&file, &file.metadata().expect("its size"), std::mem::take(index), &mut search).expect("scanned");
        search.2
    }

    #[test]
    fn an_index_finds_what_reading_all_of_it_finds() {
        let outer = tempfile::tempdir().expect("a directory");
        let path = outer.path().join("stream");
        let mut text = String::new();
        let mut index = Index::default();
        for round in 0..8_i64 {
            for place in 0..4000 {
                // Mostly in order, except for events that clients have put late.
                let at = round * 4000 + if place % 100 == 0 { 0 } else { place };
                text.push_str(&format!("{{\"t\":{at},\"m\":\"{}\"}}\n", "x".repeat(100)));
            }
            std::fs::write(&path, format!("{text}{{\"t\":1,")).expect("written");
            let (from, to) = (round * 2000, round * 2000 + 50);
            let all = found(&path, &mut Index::default(), from, to);
            assert_eq!(found(&path, &mut index, from, to), all);
            assert!(!all.is_empty());
        }
        assert!(index.blocks.len() > 2, "{}", index.blocks.len());
        assert_eq!(index.times(), Some((0, 31_999)));
        // Another file of that name is another stream.
        std::fs::remove_file(&path).expect("removed");
        std::fs::write(&path, "{\"t\":-5,\"m\":\"y\"}\nnonsense\n{\"t\":7,\"m\":\"z\",\"p\":1}\n").expect("written");
        assert_eq!(found(&path, &mut index, -10, 10), [(-5, 0), (7, 2)]);
    }

    #[test]
    fn lines_longer_than_a_block_are_read_and_those_longer_than_any_are_skipped() {
        let outer = tempfile::tempdir().expect("a directory");
        let path = outer.path().join("stream");
        let line = |at: Millis, length: usize| format!("{{\"t\":{at},\"m\":\"{}\"}}\n", "x".repeat(length));
        let text = [line(1, 10), line(2, 3 * BLOCK), line(3, 10), line(4, LONGEST + BLOCK), line(5, 10)].concat();
        std::fs::write(&path, text).expect("written");
        let mut index = Index::default();
        for _ in 0..2 {
            let times: Vec<_> = found(&path, &mut index, 0, 10).into_iter().map(|(at, _)| at).collect();
            assert_eq!(times, [1, 2, 3, 5]);
        }
    }
}
